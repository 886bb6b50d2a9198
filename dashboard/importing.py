"""Bringing a statement in: the file, what importing it would do, how its columns are read, and past imports."""

from functools import partial
from typing import Any
from uuid import UUID

import streamlit as st

from core.access import Permission
from core.earnings.columns import FIELDS, ColumnMapping
from core.earnings.outline import Outline
from core.earnings.service import (
    PLATFORMS,
    Choices,
    ImportRecord,
    Preview,
    import_statement,
    imports,
    preview,
    undo_import,
)
from core.earnings.table import MAX_BYTES
from core.workspaces.service import CURRENCIES
from dashboard.analytics import FIGURES, LOOK, platform_name
from dashboard.components.confirmation import ask, confirmation
from dashboard.components.figures import Measure, measures
from dashboard.session import Viewer, flash, refusals_shown, viewer
from dashboard.viewing import language
from dashboard.words import moment, money, number, plain, t

_FILE = "analytics_file"
_SEEN = "analytics_seen"
_PAGE = "analytics_imports_page"
PAGE = 5
"""Imports shown at once."""
_IN_DOLLARS = ("onlyfans", "fansly", "fanvue")
_ORDERS = (None, True, False)
_MARKS = (None, ".", ",")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@st.fragment
@refusals_shown()
def upload() -> None:
    """The file, and all that follows from it until it is imported."""
    looking = viewer()
    count = st.session_state.setdefault(_FILE, 0)
    file = st.file_uploader(t("analytics.file"), key=f"{_FILE}_{count}", help=t("analytics.file_help"))
    st.caption(t("analytics.file_limit", most=number(MAX_BYTES // (1024 * 1024))))
    if file is None:
        st.session_state.pop(_SEEN, None)
        return
    content = file.getvalue()
    with st.container(horizontal=True):
        platform, currency = _origin(looking)
    plain_choices = Choices(platform, currency)
    seen = _previewed(looking, content, file.file_id, plain_choices)
    mapping = _columns(seen.outline, file.file_id)
    choices = Choices(platform, currency, None if mapping == seen.outline.mapping else mapping)
    if choices != plain_choices:
        seen = _previewed(looking, content, file.file_id, choices)
    _shown(seen)
    is_ready = bool(seen.outline.lines)
    if st.button(t("analytics.import"), key="analytics_import", type="primary", disabled=not is_ready):
        _bring_in(looking, content, file.name, choices)


def _previewed(looking: Viewer, content: bytes, file_id: str, choices: Choices) -> Preview:
    """Kept until a choice changes: a rerun of the fragment does not read the file again."""
    kept: dict[str, Preview] = st.session_state.setdefault(_SEEN, {})
    key = f"{looking.creator.id} {file_id} {choices}"
    if key in kept:
        kept[key] = kept.pop(key)
        return kept[key]
    if len(kept) > 2:
        kept.pop(next(iter(kept)))
    with st.spinner(t("analytics.reading")):
        kept[key] = preview(looking.scope, content, choices)
    return kept[key]


def _origin(looking: Viewer) -> tuple[str, str]:
    """Where the file is from, and the currency of rows that name none."""
    known = [name for name in looking.creator.platforms if name in PLATFORMS]
    platform = st.selectbox(
        t("analytics.platform"),
        PLATFORMS,
        index=PLATFORMS.index(known[0]) if known else 0,
        key="analytics_platform",
        format_func=platform_name,
        width=200,
    )
    usual = "USD" if platform in _IN_DOLLARS else looking.creator.currency
    currency = st.selectbox(
        t("analytics.currency"),
        CURRENCIES,
        index=CURRENCIES.index(usual),
        key=f"analytics_currency_{platform}",
        help=t("analytics.currency_help"),
        width=200,
    )
    return platform, currency


def _columns(seen: Outline, file_id: str) -> ColumnMapping:
    """How the columns are read, to be looked at and corrected. Open where a choice is needed."""
    needs_choice = bool(seen.missing or seen.asks)
    with st.expander(t("analytics.columns"), expanded=needs_choice, icon=":material/view_column:"):
        st.caption(t("analytics.columns_why"))
        columns: dict[str, str] = {}
        with st.grid():
            for field in FIELDS:
                if chosen := _column(field, seen, file_id):
                    columns[field] = chosen
            day_first = _choice("day_first", _ORDERS, seen.mapping.day_first, file_id)
            mark = _choice("decimal_mark", _MARKS, seen.mapping.decimal_mark, file_id)
    return ColumnMapping(columns, day_first, mark)


def _column(field: str, seen: Outline, file_id: str) -> str | None:
    found = seen.mapping.columns.get(field)
    return st.selectbox(
        t(f"analytics.field_{field}"),
        seen.header,
        index=seen.header.index(found) if found else None,
        placeholder=t("analytics.no_column"),
        key=f"analytics_{field}_{file_id}",
    )


def _choice(name: str, options: tuple[Any, ...], start: Any, file_id: str) -> Any:
    words = dict(zip(options, ("auto", "first", "second"), strict=True))
    return st.selectbox(
        t(f"analytics.{name}"),
        options,
        index=options.index(start),
        key=f"analytics_{name}_{file_id}",
        format_func=lambda option: t(f"analytics.{name}_{words[option]}"),
    )


def _shown(seen: Preview) -> None:
    """What importing would do, before anything is written."""
    outline = seen.outline
    if outline.missing:
        st.warning(t("analytics.needs_columns"), icon=":material/view_column:")
        return
    if seen.same_file_at:
        st.info(t("analytics.same_file", when=plain(moment(seen.same_file_at))), icon=":material/content_copy:")
    if seen.remembered:
        st.caption(t("analytics.remembered"))
    for name in outline.asks:
        st.warning(t(f"analytics.ask_{name}"), icon=":material/help:")
    _counts(seen)
    if outline.kinds:
        st.markdown(t("analytics.by_type_in_file"))
        st.dataframe(_kind_rows(outline), hide_index=True, alt=t("analytics.by_type_in_file"))
        with st.expander(t("analytics.first_rows")):
            st.dataframe(_first_rows(outline), hide_index=True, alt=t("analytics.first_rows"))
    if outline.unknown_types:
        examples = ", ".join(plain(text or t("analytics.no_text")) for text in list(outline.unknown_types)[:5])
        st.info(t("analytics.unknown_types", count=sum(outline.unknown_types.values()), examples=examples))
    _problems(outline)


def _counts(seen: Preview) -> None:
    outline = seen.outline
    counted = {
        "new": seen.new,
        "changed": seen.changed,
        "known": seen.unchanged,
        "rejected": outline.rejected_rows,
        "blank": outline.blank_rows,
    }
    measures(
        [
            Measure(t(f"analytics.rows_{name}"), number(count), t(f"analytics.define_rows_{name}"))
            for name, count in counted.items()
        ]
    )


def _kind_rows(outline: Outline) -> list[dict[str, str]]:
    def amount(minor: int | None, currency: str) -> str:
        return t("frame.not_defined") if minor is None else money(minor, currency)

    return [
        {
            t("analytics.field_type"): t(f"analytics.kind_{total.kind}"),
            t("analytics.rows"): number(total.count),
            t("analytics.field_gross"): amount(total.gross, total.currency),
            t("analytics.field_fee"): amount(total.fee, total.currency),
            t("analytics.field_net"): amount(total.net, total.currency),
        }
        for total in outline.kinds
    ]


def _first_rows(outline: Outline) -> list[dict[str, str]]:
    return [
        {
            t("analytics.row"): number(line.row),
            t("analytics.field_date"): f"{line.day or line.occurred_at:%Y-%m-%d}"
            + ("" if line.day else f" {line.occurred_at:%H:%M} UTC"),
            t("analytics.field_type"): t(f"analytics.kind_{line.kind}"),
            t("analytics.field_status"): t(f"analytics.status_{line.status}"),
            t("analytics.field_gross"): "" if line.gross is None else money(line.gross, line.currency),
            t("analytics.field_net"): "" if line.net is None else money(line.net, line.currency),
            t("analytics.field_fan_name"): _text((line.fan.name or line.fan.handle or "") if line.fan else ""),
            t("analytics.field_description"): _text(line.description),
        }
        for line in outline.first
    ]


def _problems(outline: Outline) -> None:
    """Every row that stays out, and every remark on one that comes in, with its number in the file."""
    if not outline.problems:
        return
    title = t("analytics.problems", rejected=number(outline.rejected_rows), kept=number(outline.kept_problems))
    with st.expander(title, expanded=outline.rejected_rows > 0, icon=":material/warning:"):
        rows = [
            {
                t("analytics.row"): number(problem.row),
                t("analytics.column"): _text(problem.column),
                t("analytics.value"): _text(problem.raw),
                t("analytics.problem"): problem.sentence(language()),
            }
            for problem in outline.problems
        ]
        st.dataframe(rows, hide_index=True, alt=title)
        if outline.rejected_rows + outline.kept_problems > len(outline.problems):
            st.caption(t("analytics.problems_cut", shown=number(len(outline.problems))))


def _text(text: str) -> str:
    """A cell that no spreadsheet computes: tables can be downloaded."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _bring_in(looking: Viewer, content: bytes, filename: str, choices: Choices) -> None:
    with st.spinner(t("analytics.importing")):
        done = import_statement(looking.scope, content, filename, choices)
    st.session_state[_FILE] += 1
    st.session_state.pop(_SEEN, None)
    st.session_state[LOOK] = FIGURES
    counts = {name: number(getattr(done, name)) for name in ("new", "changed", "unchanged", "rejected")}
    flash(t("analytics.imported", **counts))
    st.rerun()


def history(looking: Viewer) -> None:
    """Past imports, the latest first, undone ones included."""
    found = imports(looking.scope)
    if not found:
        return
    st.subheader(t("analytics.imports"))
    start = (st.session_state.get(_PAGE, 1) - 1) * PAGE
    for record in found[start : start + PAGE]:
        _past(looking, record)
    if len(found) > PAGE:
        st.pagination(-(-len(found) // PAGE), key=_PAGE)


def _past(looking: Viewer, record: ImportRecord) -> None:
    key = f"undo_{record.id}"
    with st.container(border=True):
        st.markdown(f"**{plain(record.filename)}**")
        facts = {name: number(getattr(record, name)) for name in ("new", "changed", "unchanged", "rejected")}
        who = plain(record.by or t("analytics.nobody"))
        st.caption(t("analytics.import_facts", when=plain(moment(record.created_at)), who=who, **facts))
        if record.undone_at:
            st.caption(t("analytics.undone_at", when=plain(moment(record.undone_at))))
        elif looking.scope.may(Permission.IMPORT_EARNINGS):
            name = plain(record.filename)
            title, what = t("analytics.undo", name=name), t("analytics.undo_what", name=name)
            st.button(title, key=f"{key}_button", on_click=ask, args=(key,), icon=":material/undo:")
            confirmation(key, title, what, t("analytics.undo_yes"), partial(_undo, record.id))


def _undo(import_id: UUID) -> None:
    undo_import(viewer().scope, import_id)
    flash(t("analytics.undone"))
