import gc

from flask.testing import FlaskClient


def test_a_file_that_the_browser_has_already_is_closed_again(client: FlaskClient) -> None:
    with client.get("/static/img/favicon.svg") as first:
        tag = first.headers["ETag"]
        first.get_data()

    status = client.get("/static/img/favicon.svg", headers={"If-None-Match": tag}).status_code
    gc.collect()

    assert status == 304
