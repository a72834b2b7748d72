"""Plain YAML and JSON of any system, in any number of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.deploy.files import read_objects
from nova_acceptance.errors import RenderError
from nova_acceptance.kube import describe

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def names(path: Path) -> list[str]:
    return [describe(obj) for obj in read_objects(path)]


def refusal(path: Path) -> RenderError:
    with pytest.raises(RenderError) as caught:
        read_objects(path)
    return caught.value


def only(text: str, tmp_path: Path) -> dict[str, Any]:
    (obj,) = read_objects(write(tmp_path / "a.yaml", text))
    return obj


def test_directory_is_searched_through_for_yaml_and_json(tmp_path: Path) -> None:
    write(tmp_path / "b.yml", CONFIG % "b")
    write(tmp_path / "deep" / "er" / "a.yaml", CONFIG % "a")
    write(
        tmp_path / "c.json",
        json.dumps({"apiVersion": "v1", "kind": "X", "metadata": {"name": "c"}}),
    )
    write(tmp_path / "README.md", "# Not an object\n")
    write(tmp_path / ".git" / "config.yaml", "not: an object\n")

    assert sorted(names(tmp_path)) == ["ConfigMap a", "ConfigMap b", "X c"]


def test_single_file_may_hold_several_documents_and_empty_ones(tmp_path: Path) -> None:
    text = f"---\n# nothing\n---\n{CONFIG % 'a'}---\n\n---\n{CONFIG % 'b'}---\n"

    assert names(write(tmp_path / "all.yaml", text)) == ["ConfigMap a", "ConfigMap b"]


def test_lists_are_expanded(tmp_path: Path) -> None:
    a, b = ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": it}} for it in "ab")
    inner = {"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "c"}}]}
    whole = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": [a, b, inner]}

    found = read_objects(write(tmp_path / "list.json", json.dumps(whole)))

    assert [describe(obj) for obj in found] == ["ConfigMap a", "ConfigMap b", "ConfigMap c"]
    assert found[2]["apiVersion"] == "v1"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-01-01", "2026-01-01"),
        ("12:30:00", "12:30:00"),
        ("=", "="),
        ("0440", 0o440),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("yes", True),
        ("~", None),
        ("v1.20", "v1.20"),
    ],
)
def test_values_are_what_kubectl_reads(tmp_path: Path, value: str, read: object) -> None:
    found = only(f"{CONFIG % 'a'}data: {{key: {value}}}\n", tmp_path)["data"]["key"]

    assert (found, type(found)) == (read, type(read))


def test_error_of_yaml_names_file_and_line_and_no_value(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.yaml", f"{CONFIG % 'a'}---\nkind: Secret\nstringData: *hunter2\n")

    error = refusal(tmp_path)

    assert error.message.startswith(f"{path}:6: ")
    assert "hunter2" not in str(error)


def test_error_of_json_names_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.json", '{\n"kind": }\n')

    assert refusal(tmp_path).message.startswith(f"{path}:2: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("replicas: 3\n", "no object of Kubernetes"),
        ("[1, 2]\n", "no object of Kubernetes"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n", "Pod without metadata.name"),
        ("apiVersion: v1\nkind: Pod\n", "Pod without metadata.name"),
    ],
)
def test_what_is_no_object_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path / "values.yaml", f"{CONFIG % 'a'}---\n{text}")

    assert refusal(tmp_path).message.startswith(f"{path}:5: {said}")


def test_object_that_is_there_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    first = write(tmp_path / "a.yaml", CONFIG % "same")
    second = write(tmp_path / "b.yaml", f"{CONFIG % 'other'}---\n{CONFIG % 'same'}")

    error = refusal(tmp_path)

    assert error.message == "ConfigMap same is there twice"
    assert error.evidence == (f"{first}:1", f"{second}:5")


def test_names_of_two_groups_or_namespaces_are_not_the_same(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n")
    write(
        tmp_path / "b.yaml",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n",
    )
    write(tmp_path / "c.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n")

    assert len(read_objects(tmp_path)) == 3


def test_directory_that_only_holds_kustomizations_says_which(tmp_path: Path) -> None:
    write(tmp_path / "prod" / "kustomization.yaml", "resources: []\n")
    write(tmp_path / "a.yaml", CONFIG % "a")

    error = refusal(tmp_path)

    assert str(tmp_path / "prod") in error.message
    assert error.hint == "name one of them"


def test_chart_of_helm_says_what_to_do(tmp_path: Path) -> None:
    write(tmp_path / "Chart.yaml", "name: a\n")
    write(tmp_path / "templates" / "a.yaml", "{{ .Values.a }}\n")

    assert "helm template" in refusal(tmp_path).hint


def test_directory_without_objects_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "README.md", "# Nothing\n")

    assert refusal(tmp_path).message == f"there is no object in {tmp_path}"
