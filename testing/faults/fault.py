"""A fault as its file describes it.

Each step of `break` is a mapping with one key, the name of the action:

    patch         change fields of an object by a JSON merge patch (RFC 7386)
    apply         create objects
    delete        delete an object; what no controller makes again is put back at the end
    doom          delete the claims of a pod while it runs, and begin anew at the end
    restart       delete the pods of a workload, so that they start anew
    expire        let a node end a pod, so that it stays listed beside the one in its place
    url           change parts of a connection URL in a Secret
    value         write a value of a Secret or ConfigMap otherwise
    certificate   put another certificate into a Secret
    sql           run statements on PostgreSQL, as its superuser
    redis         run commands on Redis
    exec          run a command in a container
    file          put text before that of a file in a container
    background    run a script of `parts/` in a container until the fault is taken out
    node          run a command on a node
    cordon        let the node of a pod take no new pods
    taint         put a taint on the node of a pod
    names         let the cluster's DNS be slow, or give a wrong address for a name
    stranger      give a member of etcd the data of another cluster
    signal        stop the processes of a pod, as a kernel would
    filter        close a way by packet filter rules in the nodes' own network namespaces

Whatever an action changes it undoes by what it found before, unless it says how under `undo`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from nova_acceptance.system.base import Strict
from testing.faults.api_faults import MODES

Argv = Annotated[tuple[str, ...], Field(min_length=1)]


class Target(Strict):
    """An object by kind, namespace (empty where it has none) and name."""

    kind: str
    namespace: str = ""
    name: str


class Pods(Strict):
    """Pods by their workload, and of PostgreSQL by their role.

    Attributes:
        number: which of them, counted from 0 in the order of their names; None takes all.
    """

    namespace: str
    workload: str
    role: Literal["", "primary", "replica"] = ""
    number: int | None = 0


class Patch(Target):
    """Fields as they shall be; null takes one away."""

    patch: dict[str, Any]


class Url(Strict):
    """Parts of a connection URL as they shall be; None leaves a part as it is."""

    namespace: str
    secret: str
    key: str
    scheme: str | None = None
    user: str | None = None
    password: str | None = None
    host: str | None = None
    port: int | None = None
    path: str | None = None


class Value(Strict):
    """A value as it shall be written.

    Attributes:
        written: with `{value}` in the place of the value that is there.
        times: how often a Secret's value is encoded as base64; once is right.
    """

    kind: Literal["Secret", "ConfigMap"] = "Secret"
    namespace: str
    name: str
    key: str
    written: str = "{value}"
    times: int = 1


class Certificate(Strict):
    """A certificate in the place of the one that a Secret of type kubernetes.io/tls holds.

    Attributes:
        names: other names than those of the certificate that is there; empty keeps them.
        from_days: when it begins to be valid, in days from now.
        to_days: when it ends.
        keeps_key: whether the Secret's key stays, which then is not the certificate's.
    """

    namespace: str
    secret: str
    names: tuple[str, ...] = ()
    from_days: int = -1
    to_days: int = 365
    keeps_key: bool = False


class Sql(Strict):
    """Statements, each by itself."""

    at: Literal["leader", "replica", "members"] = "leader"
    database: str = "postgres"
    do: Argv
    undo: tuple[str, ...] = ()


class RedisCommands(Strict):
    """Commands of Redis, each a list of words."""

    do: Annotated[tuple[Argv, ...], Field(min_length=1)]
    undo: tuple[Argv, ...] = ()


class Command(Strict):
    """A command in the first container of pods; no shell unless it names one."""

    pods: Pods
    do: Argv
    undo: tuple[str, ...] = ()


class Prepend(Strict):
    """Text before what a file in a container holds.

    Attributes:
        text: may hold `{address}`, the address of the pod that `address_of` names.
        then: a command there after each change, so that the file is read again.
    """

    pods: Pods
    path: str
    text: str
    address_of: Pods | None = None
    then: tuple[str, ...] = ()


class Background(Strict):
    """A script of `parts/`, without its ending, and its arguments."""

    pods: Pods
    script: str
    arguments: tuple[str, ...] = ()


class Taint(Strict):
    """A taint of the node on which a pod is."""

    of: Pods
    key: str
    value: str = ""
    effect: Literal["NoSchedule", "NoExecute"] = "NoSchedule"


class Names(Strict):
    """How the cluster's DNS answers.

    Attributes:
        delay: seconds before each answer.
        name: names that begin so get a wrong address; empty leaves all as they are.
        address: which one.
    """

    delay: float = 0.0
    name: str = ""
    address: str = ""


class OnNode(Strict):
    """A command on the node of a pod."""

    of: Pods
    do: Argv
    undo: tuple[str, ...] = ()


class Removal(Strict):
    """A namespace that is deleted, and does not go.

    Attributes:
        holder: the object in it that is held by a finalizer.
    """

    namespace: str
    holder: Target


class Filter(Strict):
    """What no longer gets through.

    Attributes:
        source: whose connections; None takes everybody's.
        to: whose port.
        port: the number at the pods.
        answer: whether whoever asks is told (`refuse`) or not (`drop`).
    """

    source: Pods | None = None
    to: Pods
    port: int
    answer: Literal["refuse", "drop"] = "drop"


class Step(Strict):
    """One action; exactly one of its fields is there."""

    patch: Patch | None = None
    apply: tuple[dict[str, Any], ...] | None = None
    delete: Target | None = None
    doom: Pods | None = None
    restart: Pods | None = None
    expire: Pods | None = None
    url: Url | None = None
    value: Value | None = None
    certificate: Certificate | None = None
    sql: Sql | None = None
    redis: RedisCommands | None = None
    exec: Command | None = None
    file: Prepend | None = None
    background: Background | None = None
    cordon: Pods | None = None
    taint: Taint | None = None
    names: Names | None = None
    stranger: Pods | None = None
    node: OnNode | None = None
    signal: Pods | None = None
    filter: Filter | None = None
    remove: Removal | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Step:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"must name one action of {', '.join(type(self).model_fields)}")
        return self

    @property
    def action(self) -> str:
        """The action's name."""
        (name,) = self.model_fields_set
        return name


class FieldOf(Strict):
    """A field of an object: keys, numbers, and in lists of conditions their types, with dots.

    Attributes:
        of: a pod whose node is meant, in the place of `name`.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    of: Pods | None = None
    path: str


class Question(Strict):
    """What is asked to see whether a fault is in; exactly one of the first five is there.

    Attributes:
        says: a regular expression that the answer has to hold.
    """

    object: FieldOf | None = None
    sql: Sql | None = None
    redis: Argv | None = None
    exec: Command | None = None
    node: OnNode | None = None
    says: str

    @model_validator(mode="after")
    def _is_one(self) -> Question:
        if len(self.model_fields_set - {"says"}) != 1:
            raise ValueError("must ask one of object, sql, redis, exec, node")
        return self


class Calm(Strict):
    """Seconds for which nothing else may be amiss, where a change makes pods flicker.

    Attributes:
        before: before the suite runs; nodes are not looked at.
        after: after the fault was taken out.
    """

    before: float = 0.0
    after: float = 0.0


class KustomizePatch(Strict):
    """A patch as kustomize takes it."""

    target: dict[str, str]
    patch: str


class Edit(Strict):
    """Text of one of the manifests' files, replaced; it has to be there."""

    file: str
    replace: str
    by: str


class Deploy(Strict):
    """What the suite itself is given to deploy: its manifests, changed in a copy.

    Attributes:
        afresh: workloads that are removed before, with their claims, so that they are made anew.
        writes: whether the suite writes anything; not, where its preflight stops it.
    """

    patches: tuple[KustomizePatch, ...] = ()
    edits: tuple[Edit, ...] = ()
    afresh: tuple[Pods, ...] = ()
    writes: bool = True

    @property
    def changes_manifests(self) -> bool:
        """Whether what is deployed is not what should be."""
        return bool(self.patches or self.edits)


class Expectation(Strict):
    """What is expected of the suite.

    Attributes:
        cause: the cause that has to be named.
        subject: a regular expression for the object at which it is; empty takes any.
        also: causes that may be named beside it, being true as well.
        tests: patterns (with `*`) of tests that have to fail, each at least one.
        seconds: within how many seconds from the start of the verification it is named.
    """

    cause: str
    subject: str = ""
    also: tuple[str, ...] = ()
    tests: Argv
    seconds: Annotated[float, Field(gt=0)] = 15.0


class Fault(Strict):
    """One fault.

    Attributes:
        name: its file's name, without the ending.
        family: its directory's name.
        title: what is wrong, in one sentence.
        deploy: how the manifests are changed, for one that is deployed.
        breaks: how it is put in, for one of a running system.
        shows: what shows that it is in; it is waited for.
        calm: how long Nova has to be still before and after.
        through: the trouble that a proxy makes between suite and API (`api_faults.MODES`).
        expect: what the suite has to say; None for what is normal or has to be survived.
        normal: whether no test may fail and no cause be named, written as `expect: nothing`.
        survives: whether nothing may fail, whatever is named besides.
        seldom: whether it is left out where none is named, since it takes long or shows what
            another shows as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    name: str
    family: str
    title: str
    deploy: Deploy | None = None
    breaks: Annotated[tuple[Step, ...], Field(alias="break")] = ()
    shows: tuple[Question, ...] = ()
    calm: Calm = Calm()
    through: str = ""
    expect: Expectation | None = None
    normal: bool = False
    survives: bool = False
    seldom: bool = False

    @model_validator(mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("expect") == "nothing":
            return {**value, "expect": None, "normal": True}
        return value

    @property
    def is_fault(self) -> bool:
        """Whether anything has to be found: not of what is normal, or has to be survived."""
        return self.expect is not None

    @property
    def changes_manifests(self) -> bool:
        """Whether what is deployed is not what should be."""
        return self.deploy is not None and self.deploy.changes_manifests

    @model_validator(mode="after")
    def _is_whole(self) -> Fault:
        if [self.survives, self.normal, self.is_fault].count(True) != 1:
            raise ValueError("must say either what to `expect` or that the suite `survives` it")
        if not (self.deploy or self.breaks or self.through):
            raise ValueError("must change something: deploy, break or through")
        if self.through and self.through not in MODES:
            raise ValueError(f"`through` must be one of {', '.join(MODES)}")
        return self
