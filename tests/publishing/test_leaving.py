"""What publishing keeps about people goes along in a pack, and goes when an account is erased."""

import csv
import io
import zipfile

import pytest
from sqlalchemy import text

from core.access import Scope
from core.billing import farewell
from core.content.kinds import AssetStatus
from core.db import transaction
from core.errors import NotFound
from core.jobs.runner import run_once
from core.publishing import approving, consent, links, performers, planning
from core.publishing.approving import Decision, Rule
from core.publishing.papers import DocumentKind
from core.workspaces import packs
from tests.people import Made
from tests.publishing.conftest import in_state
from tests.publishing.test_links import link_to
from tests.workspaces.test_privacy import pass_thirty_days, proved

TABLES = {
    "asset_decisions": 1,
    "approval_links": 2,
    "approval_rules": 1,
    "performers": 2,
    "performer_documents": 1,
    "asset_performers": 1,
}


def fill(scope: Scope) -> str:
    """At least one row in each table. Returns the secret of a link that still waits."""
    asset_id = in_state(scope, AssetStatus.IN_REVIEW)
    approving.save_rule(scope, Rule(2))
    links.decide(link_to(scope, asset_id), Decision.APPROVED, "lovely")
    bea = performers.add_performer(scope, "Bea")
    performers.performers(scope)
    performers.add_document(scope, bea, kind=DocumentKind.AGE, verified_on=planning.today_of("UTC"), sha256="ab" * 32)
    consent.name_shown(scope, asset_id, [bea])
    return link_to(scope, asset_id)


def counts(scope: Scope) -> dict[str, int]:
    with transaction(scope) as session:
        return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}


def test_a_pack_holds_it_and_no_secret(ada: Made, bob: Made) -> None:
    token = fill(ada.scope)
    fill(bob.scope)
    assert counts(ada.scope) == TABLES
    packs.request_export(ada.scope)
    while run_once():
        pass
    (view,) = packs.packs(ada.scope)
    pack = zipfile.ZipFile(io.BytesIO(packs.take(ada.scope, view.id).content))
    folder = f"creators/{ada.workspace_id}/"
    for table, rows in TABLES.items():
        held = list(csv.DictReader(io.StringIO(pack.read(f"{folder}{table}.csv").decode("utf-8-sig"))))
        assert len(held) == rows, table
    assert "ab" * 32 in pack.read(f"{folder}performer_documents.csv").decode()
    assert not [name for name in pack.namelist() if token.encode() in pack.read(name)]


def test_it_all_goes_with_the_account_and_a_neighbours_stays(ada: Made, bob: Made) -> None:
    token = fill(ada.scope)
    kept = fill(bob.scope)
    farewell.request_deletion(proved(ada))
    pass_thirty_days(ada)
    assert set(counts(ada.scope).values()) == {0}
    with transaction(None) as session:
        pointers = "SELECT count(*) FROM tenant_pointers WHERE kind = 'approval' AND account_id = :id"
        assert session.execute(text(pointers), {"id": ada.account_id}).scalar_one() == 0
    assert counts(bob.scope) == TABLES
    assert links.offer(kept).creator == "Bob"
    with pytest.raises(NotFound) as refused:
        links.offer(token)
    assert refused.value.code == "approve.bad_link"
