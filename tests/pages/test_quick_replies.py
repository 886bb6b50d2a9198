"""Quick replies on the page "Messages", opened through the real entry."""

from sqlalchemy import Connection
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.messages.quick_replies import ReplyView, Wording, add_reply, replies
from tests.pages.conftest import OpenPage, assert_no_crash, words
from tests.people import Made, make_person

THANKS = "Thank you {fan_name}, it is out on {day}!"


def opened(open_page: OpenPage, made: Made, body: str = THANKS) -> AppTest:
    add_reply(made.scope, Wording.of(title="Thanks", body=body, category="Sets", language="en"))
    page = open_page("messages", made)
    assert_no_crash(page)
    return page


def said(page: AppTest) -> str:
    return words(page).replace("\\_", "_")


def press(page: AppTest, label: str) -> None:
    next(one for one in page.button if one.label == label).click().run()
    assert_no_crash(page)


def kept(made: Made) -> ReplyView:
    (one,) = replies(made.scope)
    return one


def test_without_any_it_says_what_to_do_and_the_first_is_written(open_page: OpenPage, ada: Made) -> None:
    page = open_page("messages", ada)
    assert_no_crash(page)
    assert "There is no quick reply yet" in said(page)
    page.text_area(key="reply_new_body").set_value(THANKS)
    page.text_input(key="reply_new_category").set_value("Sets")
    press(page, "Add")
    assert (kept(ada).title, kept(ada).category) == (THANKS, "Sets")
    assert page.text_area(key="reply_new_body").value == ""
    assert "used 0 times" in said(page)


def test_what_cannot_be_kept_stays_typed(open_page: OpenPage, ada: Made) -> None:
    page = open_page("messages", ada)
    page.text_area(key="reply_new_body").set_value("Hello {Fan Name}")
    press(page, "Add")
    assert "A blank is a word in small letters between braces, like {fan_name}" in said(page)
    assert page.text_area(key="reply_new_body").value == "Hello {Fan Name}"
    assert replies(ada.scope) == ()


def test_it_is_filled_shown_for_copying_and_counted_once(open_page: OpenPage, ada: Made) -> None:
    page = opened(open_page, ada)
    press(page, "Use")
    page.text_input(key=f"reply_blank_{kept(ada).id}_fan_name").set_value("Sam")
    press(page, "Fill in and show for copying")
    assert "Fill these in first: day" in said(page)
    assert not page.code
    assert kept(ada).uses == 0
    page.text_input(key=f"reply_blank_{kept(ada).id}_day").set_value("Friday")
    press(page, "Fill in and show for copying")
    assert page.code[0].value == "Thank you Sam, it is out on Friday!"
    page.run()
    assert_no_crash(page)
    assert page.code[0].value == "Thank you Sam, it is out on Friday!"
    assert kept(ada).uses == 1
    assert "used 1 time" in said(page)
    press(page, "Close")
    assert not page.code


def test_the_creators_own_name_is_there_already(open_page: OpenPage, ada: Made) -> None:
    page = opened(open_page, ada, "It is me, {creator_name}")
    press(page, "Use")
    assert page.text_input(key=f"reply_blank_{kept(ada).id}_creator_name").value == "Ada"


def test_a_rule_that_the_filled_text_breaks_is_said_beside_it(open_page: OpenPage, ada: Made) -> None:
    page = opened(open_page, ada, "Pay with {how}")
    press(page, "Use")
    page.text_input(key=f"reply_blank_{kept(ada).id}_how").set_value("PayPal")
    press(page, "Fill in and show for copying")
    assert page.code[0].value == "Pay with PayPal"
    assert any("PayPal" in one.value for one in page.warning)


def test_it_is_worded_anew(open_page: OpenPage, ada: Made) -> None:
    page = opened(open_page, ada)
    press(page, "Edit")
    page.text_area(key=f"reply_{kept(ada).id}_body").set_value("Hi {fan_name}")
    press(page, "Save")
    assert (kept(ada).body, kept(ada).blanks, kept(ada).title) == ("Hi {fan_name}", ("fan_name",), "Thanks")


def test_it_is_put_away_and_that_is_taken_back(open_page: OpenPage, ada: Made) -> None:
    page = opened(open_page, ada)
    press(page, "Put away")
    assert "is put away" in said(page)
    assert kept(ada).archived_at is not None
    press(page, "Undo")
    assert kept(ada).archived_at is None
    press(page, "Put away")
    page.toggle(key="reply_archived").set_value(True).run()
    press(page, "Bring back")
    assert kept(ada).archived_at is None


def test_one_is_found_by_its_words_its_category_and_its_language(open_page: OpenPage, ada: Made) -> None:
    for title, category, language in (("Sea", "Sets", "en"), ("Mer", "Sets", "fr"), ("Welcome", "Greeting", "en")):
        add_reply(ada.scope, Wording.of(title=title, body="words", category=category, language=language))
    page = open_page("messages", ada)

    def there() -> set[str]:
        assert_no_crash(page)
        return {name for name in ("Sea", "Mer", "Welcome") if f"**{name}**" in words(page)}

    assert there() == {"Sea", "Mer", "Welcome"}
    page.selectbox(key="reply_category").set_value("Sets").run()
    assert there() == {"Sea", "Mer"}
    page.selectbox(key="reply_language").set_value("fr").run()
    assert there() == {"Mer"}
    page.text_input(key="reply_search").set_value("sea").run()
    assert there() == set()
    assert "No quick reply fits" in said(page)


def test_it_speaks_french(open_page: OpenPage, database: Connection) -> None:
    zoe = make_person("Zoé", Role.CREATOR, language="fr")
    page = opened(open_page, zoe)
    press(page, "Utiliser")
    press(page, "Remplir et afficher pour copier")
    assert "Remplissez d’abord : fan_name, day" in said(page)
