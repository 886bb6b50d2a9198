"""Who is shown with one text."""

from datetime import UTC, datetime

import streamlit as st

from core.content.kinds import AssetStatus
from core.publishing import consent, performers
from core.publishing.papers import listed
from core.publishing.planning import Entry
from dashboard.session import Viewer, flash
from dashboard.viewing import language
from dashboard.words import plain, t

_FIXED = (AssetStatus.PUBLISHED, AssetStatus.ARCHIVED)


def shown_with(looking: Viewer, one: Entry) -> None:
    """Name who is shown, or say that nobody is; and whose documents are not in order at the text's time, or today."""
    now = consent.shown_in(looking.scope, one.asset_id)
    everybody = {person.id: person for person in performers.performers(looking.scope)}
    names = {key: person.name for key, person in everybody.items()}
    if now.is_asked:
        st.warning(t("calendar.who_is_shown"), icon=":material/person_search:")
    for lacking in consent.missing_for(looking.scope, one.asset_id, one.at or datetime.now(UTC)):
        gaps = listed(lacking.gaps, language())
        st.warning(t("calendar.lacking", name=plain(lacking.name), gaps=plain(gaps)), icon=":material/badge:")
    told = ", ".join(names[key] for key in now.performer_ids) or (t("calendar.nobody") if now.nobody else "–")
    if one.status in _FIXED:
        st.caption(t("calendar.shown", names=plain(told)))
        return
    with st.expander(t("calendar.shown", names=plain(told))), st.form(f"shown_{one.asset_id}", border=False):
        offered = [key for key, person in everybody.items() if not person.is_archived or key in now.performer_ids]
        chosen = st.multiselect(
            t("calendar.people_shown"), offered, list(now.performer_ids), format_func=names.__getitem__
        )
        nobody = st.checkbox(t("calendar.nobody"), value=now.nobody)
        if st.form_submit_button(t("calendar.save_shown")):
            consent.name_shown(looking.scope, one.asset_id, chosen, nobody=bool(nobody))
            flash(t("calendar.done_shown"))
            st.rerun()
