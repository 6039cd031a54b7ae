"""From a file in conf/ to a plan. Everything that is wrong in the file is said at once, before Spark starts."""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from birchtar.runner.bookmark_checks import replaces_what_it_keeps
from birchtar.runner.checks import too_long
from birchtar.runner.complaints import names
from birchtar.runner.document import Document, Location
from birchtar.runner.hidden_names import hidden_names
from birchtar.runner.load_job import complain_of, document_of, job_in
from birchtar.runner.plan import FunctionStep, Plan, PlannedTable, QueryStep, Step, in_order, made_of, owner
from birchtar.runner.problems import ConfigError
from birchtar.runner.queries import (
    QueryError,
    UnreadableQueryError,
    complaint_of_spark,
    tables_read,
    words_read,
)
from birchtar.runner.rules import ACTIONS, ON_TABLES, RULES, PlannedRule, rule_name
from birchtar.runner.spec import LONGEST_NAME, Job, Table
from birchtar.runner.steps import (
    FUNCTION_NAME,
    TRANSFORMS,
    FunctionError,
    arguments_model,
    find_function,
    function_parameters,
    makes_several_tables,
    table_parameters,
)
from transforms.errors import say_known


def load(path: str | Path, settings: Iterable[str] = (), made: Collection[str] = ()) -> Plan:
    """Read a job's config and check it.

    Args:
        path: The YAML file.
        settings: Values that replace the file's, each as ``key.key=value``.
        made: Folders that other jobs will have written before this one runs, whether they are there yet or not.

    Raises:
        ConfigError: With everything that is wrong in the file. Starts no Spark; imports the modules that the config
            names for functions.
    """
    document = document_of(path, settings)
    # A user's functions are looked for from the folder that the command runs in, as `python` itself does.
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    return _Loader(document).plan(made)


class _Loader:
    """Checks what a document says of tables, steps and rules, and collects what is wrong in it."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def plan(self, made: Collection[str]) -> Plan:
        job = job_in(self.document, made)
        if job is None:
            raise ConfigError(self.document.problems)
        tables = {name: self._table(job, name, table) for name, table in job.tables.items()}
        self._check_starts(tables)
        self._check_outputs(job, tables)
        self._check_bookmarks(job, tables)
        order = self._order(tables)
        if self.document.problems:
            raise ConfigError(self.document.problems)
        planned = tuple(tables[name] for name in order)
        plan = Plan(self.document.file, job, planned, self.document.keys)
        if problems := list(hidden_names(plan)):
            raise ConfigError(problems)
        return plan

    def _table(self, job: Job, name: str, table: Table) -> PlannedTable:
        location: Location = ("tables", name)
        if (table.from_ is None) == (table.sql is None):
            self._complain(location, f"the table `{name}` needs either `from` or `sql`.", of_key=True)
        reads: set[str] = set()
        if table.from_ is not None:
            reads |= self._reference(job, table.from_, (*location, "from"))
        steps: list[Step] = []
        if table.sql is not None:
            steps += self._query(job, name, table.sql, (*location, "sql"), reads)
        makes_several = False
        for position, said in enumerate(table.steps):
            at: Location = (*location, "steps", position)
            if makes_several:
                self._complain(at, "nothing can follow a step that makes several tables.")
            found = list(self._step(job, name, said, at, reads))
            makes_several = any(
                isinstance(step, FunctionStep) and makes_several_tables(step.function) for step in found
            )
            steps += found
        is_collection = makes_several
        rules = [
            rule
            for position, said in enumerate(table.rules)
            for rule in self._rule(job, name, said, (*location, "rules", position), reads)
        ]
        if table.rules and is_collection:
            self._complain((*location, "rules"), f"rules are for one table; `{name}` is several.", of_key=True)
        place = self.document.place(location, of_key=True)
        return PlannedTable(name, table.from_, tuple(steps), frozenset(reads), is_collection, place, tuple(rules))

    def _step(self, job: Job, table: str, said: Any, location: Location, reads: set[str]) -> Iterator[Step]:
        if isinstance(said, str):
            said = {said: None}
        if len(said) != 1:
            found = ", ".join(f"`{key}`" for key in said) or "none"
            self._complain(location, f"a step has one key, the name of what is to be done; here are {found}.")
            return
        ((name, arguments),) = said.items()
        location = (*location, name) if (*location, name) in self.document.values else location
        if name == "sql":
            if isinstance(arguments, str):
                yield from self._query(job, table, arguments, location, reads)
            else:
                self._complain(location, "the step `sql` takes a text.")
            return
        if name not in TRANSFORMS and not FUNCTION_NAME.fullmatch(name):
            known = [*TRANSFORMS, "sql"]
            hint = say_known(name, known, kind="step")
            self._complain(
                location,
                f"there is no step `{name}`. {hint} A function of your own is named as package.module:function.",
                of_key=True,
            )
            return
        if len(name) > LONGEST_NAME:
            self._complain(location, too_long(name), of_key=True)
            return
        yield from self._call(job, table, name, {} if arguments is None else arguments, location, reads)

    def _rule(
        self, job: Job, table: str, said: dict[str, Any], location: Location, reads: set[str]
    ) -> Iterator[PlannedRule]:
        kinds = [key for key in said if key not in ("action", "name")]
        if len(kinds) != 1:
            found = ", ".join(f"`{key}`" for key in kinds) or "none"
            what = f"a rule has one key that says what is asked, beside `action` and `name`; here are {found}."
            self._complain(location, what)
            return
        (kind,) = kinds
        action, place = said.get("action", "fail"), (*location, kind)
        if action not in ACTIONS:
            what = f"`action` cannot be `{action}`. {say_known(str(action), ACTIONS, kind='action')}"
            self._complain((*location, "action"), what)
        elif action == "reject" and kind in ON_TABLES:
            what = f"no single row breaks `{kind}`, so none can be rejected: `action` is `warn` or `fail`."
            self._complain((*location, "action"), what)
        if kind not in RULES and not FUNCTION_NAME.fullmatch(kind):
            what = f"there is no rule `{kind}`. {say_known(kind, RULES, kind='rule')}"
            self._complain(place, f"{what} One of your own is named as package.module:function.", of_key=True)
            return
        arguments = self._rule_arguments(kind, said[kind])
        name = said.get("name") or rule_name(kind, said[kind])
        if len(str(name)) > LONGEST_NAME:
            self._complain((*location, "name"), too_long(str(name)))
        for call in self._call(job, table, RULES.get(kind, kind), arguments, place, reads, called=kind):
            yield PlannedRule(name, kind, action, call.function, call.arguments, call.place)

    def _rule_arguments(self, kind: str, said: Any) -> Any:
        """Return a rule's arguments by name; a value alone is the first of them."""
        if isinstance(said, dict) or said is None:
            return said or {}
        try:
            first = next(iter(arguments_model(RULES.get(kind, kind)).model_fields.values()), None)
        except FunctionError:
            return {}
        return {first.alias: said} if first is not None else said

    def _call(
        self,
        job: Job,
        table: str,
        name: str,
        arguments: Any,
        location: Location,
        reads: set[str],
        *,
        called: str | None = None,
    ) -> Iterator[FunctionStep]:
        called = called or name
        try:
            model = arguments_model(name)
            function = find_function(name)
        except FunctionError as error:
            self._complain(location, f"{error}", of_key=True)
            return
        if not isinstance(arguments, dict):
            known = ", ".join(names(model)) or "none"
            self._complain(location, f"`{called}` takes its arguments by name, as a mapping: {known}.")
            return
        try:
            model.model_validate(arguments)
        except ValidationError as error:
            complain_of(self.document, error, model, location, what=f"`{called}`: ")
            return
        for parameter in table_parameters(function) & arguments.keys():
            for inner, text in _texts(arguments[parameter], (*location, parameter)):
                reads |= self._reference(job, text, inner, inside=table)
        for parameter in function_parameters(function) & arguments.keys():
            for inner, text in _texts(arguments[parameter], (*location, parameter)):
                if FUNCTION_NAME.fullmatch(text):
                    self._check_function(text, inner)
        yield FunctionStep(name, function, arguments, self.document.place(location, of_key=True))

    def _check_function(self, name: str, location: Location) -> None:
        try:
            find_function(name)
        except FunctionError as error:
            self._complain(location, f"{error}")

    def _query(self, job: Job, table: str, query: str, location: Location, reads: set[str]) -> Iterator[Step]:
        is_step = "steps" in location
        try:
            references = tables_read(query)
        except UnreadableQueryError as error:
            # Spark knows more SQL than the parser that asks no Spark: only its word is a reason to refuse.
            if complaint_of_spark(query) is not None:
                self._complain(location, f"the text {error}.")
                return
            references = words_read(query, {*job.inputs, *job.tables})
        except QueryError as error:
            self._complain(location, f"the text {error}.")
            return
        for reference in references:
            if not (is_step and reference.name == table):
                reads |= self._reference(job, reference.name, location)
        yield QueryStep(query, tuple(references), self.document.place(location))

    def _reference(
        self, job: Job, name: str, location: Location, *, inside: str | None = None, of_key: bool = False
    ) -> set[str]:
        """Return the input or table that a name belongs to, as a set of one; of none, where it is wrong."""
        known = {*job.inputs, *job.tables} - {inside}
        found = owner(name, set(job.tables))
        if found in known:
            return {found}
        hint = say_known(name, known, kind="table")
        self._complain(location, f"there is no input or table `{name}`. {hint}", of_key=of_key)
        return set()

    def _check_starts(self, tables: dict[str, PlannedTable]) -> None:
        """Complain of tables that begin with several at once, or with a member of what is one table."""
        for name, table in tables.items():
            owned = None if table.start is None else tables.get(owner(table.start, set(tables)))
            if owned is None or owned.name == name:
                continue
            if owned.is_collection and table.start == owned.name:
                what = f"`{owned.name}` is several tables; name one of them, such as `{owned.name}.<its name>`."
                self._complain(("tables", name, "from"), what)
            elif not owned.is_collection and table.start != owned.name:
                what = f"`{table.start}`: the table `{owned.name}` is one table, not several."
                self._complain(("tables", name, "from"), what)

    def _check_outputs(self, job: Job, tables: dict[str, PlannedTable]) -> None:
        for name in job.outputs:
            for owned in self._reference(job, name, ("outputs", name), of_key=True) - {name}:
                if not tables[owned].is_collection:
                    what = f"`{name}`: the table `{owned}` is one table, not several."
                    self._complain(("outputs", name), what, of_key=True)

    def _check_bookmarks(self, job: Job, tables: dict[str, PlannedTable]) -> None:
        reads = {name: table.reads for name, table in tables.items()}
        written_of = set[str]()
        for name, written in job.outputs.items():
            fed = sorted(made_of([owner(name, set(tables))], reads) & job.inputs.keys())
            written_of.update(fed)
            for bookmarked in (each for each in fed if job.inputs[each].bookmark):
                if what := replaces_what_it_keeps(written, bookmarked, job.inputs[bookmarked]):
                    self._complain(("outputs", name, "mode"), what)
        is_known = not self.document.problems  # else what takes an input up may be what is wrong
        for name, source in job.inputs.items() if is_known else ():
            if source.bookmark and name not in written_of:
                what = f"no output is made of `{name}`: what is new would count as read, and its rows be nowhere."
                self._complain(("inputs", name, "bookmark"), what, of_key=True)

    def _order(self, tables: dict[str, PlannedTable]) -> list[str]:
        order, cycle = in_order({name: table.reads for name, table in tables.items()})
        if cycle:
            self._complain(("tables", cycle[0]), f"the tables need each other: {' -> '.join(cycle)}.", of_key=True)
        return order

    def _complain(self, location: Location, what: str, *, of_key: bool = False) -> None:
        self.document.complain(location, what, of_key=of_key)


def _texts(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    """Yield every text in an argument, with its location."""
    if isinstance(value, str):
        yield location, value
    elif isinstance(value, Sequence):
        for position, item in enumerate(value):
            yield from _texts(item, (*location, position))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*location, key))
