from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.errors import UsageError
from testing.faults.reading import ORDER, check_causes, chosen, read_catalogue, read_fault

WHOLE = """\
title: A Service selects by a label that no pod has
break:
  - patch: {kind: Service, namespace: here, name: front, patch: {spec: {selector: {a: b}}}}
expect:
  cause: SELECTOR_MATCHES_NOTHING
  tests: ["tests/*"]
"""


def written(directory: Path, text: str, name: str = "services/one.yaml") -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refused(directory: Path, text: str) -> str:
    with pytest.raises(UsageError) as raised:
        read_fault(written(directory, text))
    return str(raised.value)


def test_fault_has_the_name_of_its_file_and_the_family_of_its_directory(tmp_path: Path) -> None:
    fault = read_fault(written(tmp_path, WHOLE))

    assert (fault.name, fault.family) == ("one", "services")
    assert fault.breaks[0].action == "patch"


def test_unknown_key_is_refused_with_file_line_and_field(tmp_path: Path) -> None:
    said = refused(tmp_path, WHOLE.replace("  cause:", "  because: x\n  cause:"))

    assert f"{tmp_path / 'services' / 'one.yaml'}:5: expect.because: is not a known key" in said


def test_missing_field_is_refused_with_its_place(tmp_path: Path) -> None:
    assert "break[0].patch.name: is missing" in refused(
        tmp_path, WHOLE.replace("name: front, ", "")
    )


def test_two_actions_in_one_step_are_refused(tmp_path: Path) -> None:
    text = WHOLE.replace("expect:", "    restart: {namespace: here, workload: x}\nexpect:", 1)

    assert "break[0]: must name one action of patch, apply" in refused(tmp_path, text)


def test_nothing_may_be_what_is_expected(tmp_path: Path) -> None:
    text = f"{WHOLE.partition('expect:')[0]}expect: nothing\n"
    fault = read_fault(written(tmp_path, text))

    assert (fault.normal, fault.is_fault) == (True, False)
    check_causes([fault], set())
    assert "must say either what to `expect`" in refused(tmp_path, f"{text}survives: true\n")


def test_fault_that_expects_nothing_and_is_not_to_be_survived_is_refused(tmp_path: Path) -> None:
    assert "must say either what to `expect`" in refused(tmp_path, WHOLE.partition("expect:")[0])


def test_fault_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    text = "title: x\nexpect:" + WHOLE.partition("expect:")[2]

    assert "must change something" in refused(tmp_path, text)


def test_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "title: is there twice" in refused(tmp_path, f"title: x\n{WHOLE}")


def test_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    assert "must be a mapping" in refused(tmp_path, "- one\n- two\n")


def test_unknown_family_is_refused(tmp_path: Path) -> None:
    written(tmp_path, WHOLE, "weather/rain.yaml")

    with pytest.raises(UsageError, match="weather: there is no such family"):
        read_catalogue(tmp_path)


def test_faults_are_read_from_another_directory(tmp_path: Path) -> None:
    written(tmp_path, WHOLE)

    assert [fault.name for fault in read_catalogue(tmp_path)] == ["one"]


def test_directory_without_a_fault_is_refused(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match="holds no fault"):
            read_catalogue(directory)


def test_two_faults_of_one_name_are_refused(tmp_path: Path) -> None:
    written(tmp_path, WHOLE)
    written(tmp_path, WHOLE, "network/one.yaml")

    with pytest.raises(UsageError, match="there are two faults one"):
        read_catalogue(tmp_path)


def test_cause_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    fault = read_fault(written(tmp_path, WHOLE))

    with pytest.raises(UsageError, match=r"one\.yaml: expect: there is no cause SELECTOR"):
        check_causes([fault], {"IMAGE_PULL"})


def test_what_is_run_seldom_is_left_out_unless_it_is_asked_for() -> None:
    catalogue = read_catalogue()
    seldom = [fault for fault in catalogue if fault.seldom]

    assert seldom
    assert not {fault.name for fault in chosen(catalogue, [])} & {fault.name for fault in seldom}
    assert chosen(catalogue, [], every=True) == catalogue
    assert chosen(catalogue, [seldom[0].name], seldom[0].family) == seldom[:1]


def test_faults_are_chosen_by_pattern_and_family() -> None:
    catalogue = read_catalogue()

    redis = chosen(catalogue, [], "redis")
    assert {fault.family for fault in redis} == {"redis"}
    assert [fault.name for fault in chosen(catalogue, ["*read-only"], "redis")] == ["read-only"]
    assert [fault.name for fault in chosen(catalogue, ["redis/read-only"])] == ["read-only"]
    with pytest.raises(UsageError, match="there is no fault selects-nothing"):
        chosen(catalogue, ["selects-nothing"], "redis")


def test_catalogue_has_forty_faults_and_every_family() -> None:
    catalogue = read_catalogue()

    assert len([fault for fault in catalogue if fault.is_fault]) >= 40
    assert {fault.family for fault in catalogue} == set(ORDER)


def test_names_of_the_catalogue_are_unique() -> None:
    names = [fault.name for fault in read_catalogue()]

    assert sorted(names) == sorted(set(names))


def test_what_disturbs_most_comes_last_in_its_family() -> None:
    storage = [fault for fault in read_catalogue() if fault.family == "storage"]
    places = [0 if f.deploy is None else (2 if f.deploy.writes else -1) for f in storage]

    assert places == sorted(places)
