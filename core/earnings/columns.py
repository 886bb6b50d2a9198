"""Which column of a statement holds what: found by its name, shown, and correctable. Pure."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Literal

from core.errors import BadInput

FIELDS = (
    "date",
    "gross",
    "fee",
    "net",
    "description",
    "type",
    "status",
    "currency",
    "transaction_id",
    "fan_id",
    "fan_name",
    "post_id",
)
"""What a column can hold, in the order in which a screen offers them."""

MONEY_FIELDS = ("gross", "fee", "net")

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "date": (
        "date",
        "date time",
        "datetime",
        "date and time",
        "date utc",
        "created at",
        "createdat",
        "time",
        "timestamp",
        "transaction date",
        "date de transaction",
        "date et heure",
        "date heure",
        "jour",
        "horodatage",
    ),
    "gross": (
        "gross",
        "gross amount",
        "gross earnings",
        "brut",
        "montant brut",
        "revenu brut",
        "amount",
        "montant",
        "price",
        "prix",
    ),
    "fee": (
        "fee",
        "fees",
        "platform fee",
        "onlyfans fee",
        "commission",
        "commissions",
        "frais",
        "frais de plateforme",
        "frais de la plateforme",
    ),
    "net": (
        "net",
        "net amount",
        "net earnings",
        "your earnings",
        "montant net",
        "revenu net",
        "gains nets",
    ),
    "description": ("description", "details", "detail", "libelle", "memo", "designation"),
    "type": ("type", "transaction type", "category", "kind", "categorie", "type de transaction"),
    "status": ("status", "state", "statut", "etat"),
    "currency": ("currency", "currency code", "devise", "monnaie"),
    "transaction_id": (
        "transaction id",
        "transactionid",
        "id",
        "reference",
        "identifiant",
        "id de transaction",
        "identifiant de transaction",
    ),
    "fan_id": ("user id", "userid", "fan id", "fanid", "id du fan", "id utilisateur", "identifiant du fan"),
    "fan_name": ("username", "user name", "user", "fan", "fan name", "utilisateur", "nom d utilisateur", "pseudo"),
    "post_id": ("post id", "postid", "id de publication", "id du post"),
}

_OTHER_LAYOUTS: Mapping[str, tuple[int, frozenset[str]]] = {
    "earnings.daily_totals": (
        3,
        frozenset(
            {"total earnings", "tips", "ppv", "subscriptions", "referrals"}
            | {"gains totaux", "pourboires", "abonnements", "parrainages"}
        ),
    ),
    "earnings.subscriber_list": (
        2,
        frozenset(
            {"subscribed date", "expiry date", "auto renew", "lifetime"}
            | {"date d abonnement", "date d expiration", "renouvellement automatique"}
        ),
    ),
    "earnings.post_list": (
        3,
        frozenset(
            {"likes", "comments", "ppv revenue", "total revenue", "media count"}
            | {"j aime", "commentaires", "revenus ppv", "revenus totaux", "nombre de medias"}
        ),
    ),
}
"""Layouts that hold no payments, by how many of their own columns give them away."""

DecimalMark = Literal[".", ","]


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How to read a statement: the header name of each field, and what its cells alone may leave open.

    `day_first` and `decimal_mark` left at None are told from the file, where the file tells.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    day_first: bool | None = None
    decimal_mark: DecimalMark | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields without which no row is a payment: a date, and a gross or a net amount."""
        has_amount = "gross" in self.columns or "net" in self.columns
        return (*(() if "date" in self.columns else ("date",)), *(() if has_amount else ("gross",)))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "ColumnMapping":
        return cls(dict(stored["columns"]), stored["day_first"], stored["decimal_mark"])


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A header name without case, accents, punctuation and what stands in brackets: `Montant (USD)` → `montant`."""
    bare = unicodedata.normalize("NFKD", re.sub(r"\([^()]*\)", " ", name)).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[a-z0-9]+", bare.lower()))


def detected(header: Iterable[str]) -> ColumnMapping:
    """The mapping that the header's own names give. Raises BadInput when none of them is known."""
    by_name: dict[str, str] = {}
    for name in header:
        by_name.setdefault(plain(name), name)
    columns = {
        field_name: by_name[known]
        for field_name in FIELDS
        if (known := next((name for name in SYNONYMS[field_name] if name in by_name), None))
    }
    if not columns:
        raise BadInput("earnings.no_known_columns")
    return ColumnMapping(columns)


def confirmed(mapping: ColumnMapping, header: Iterable[str]) -> ColumnMapping:
    """A person's mapping, without columns that this file lacks. Raises BadInput for one column used twice."""
    names = set(header)
    columns = {known: mapping.columns[known] for known in FIELDS if mapping.columns.get(known) in names}
    twice = [name for name in columns.values() if list(columns.values()).count(name) > 1]
    if twice:
        raise BadInput("earnings.column_used_twice", column=twice[0])
    return ColumnMapping(columns, mapping.day_first, mapping.decimal_mark)


def refuse_other_layouts(header: Iterable[str]) -> None:
    """Raise BadInput for daily totals, subscriber lists and post lists: their sums would count money twice."""
    names = {plain(name) for name in header}
    for code, (enough, own) in _OTHER_LAYOUTS.items():
        if len(names & own) >= enough:
            raise BadInput(code)


def currency_named(name: str) -> str | None:
    """The currency that a header states in brackets: `Gross (EUR)` → `EUR`."""
    found = re.search(r"\(\s*([A-Z]{3})\s*\)", name)
    return found[1] if found else None


def signature(header: Iterable[str]) -> str:
    """The same for two files with the same columns, whatever their order."""
    return hashlib.sha256("\n".join(sorted(plain(name) for name in header)).encode()).hexdigest()
