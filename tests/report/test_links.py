"""Links of pages lead to their files, whatever the files are called."""

import re
from urllib.parse import unquote

import pandas as pd

from ihcscore import report
from ihcscore.schema import SCORES


def test_links_of_the_joined_report():
    names = ["S #7.tif", "S 50%25?.tif", "Präparat & Co.tif"]
    rows = [
        dict.fromkeys(SCORES.names) | {"slide": name, "marker": "CD8", "region": "Tumour centre"}
        for name in names
    ]
    folders = {name: name.removesuffix(".tif") for name in names}
    scores = pd.DataFrame(rows).fillna({"n_scored": 0})
    page = report.html_of(report.IndexPage(scores=scores, folders=folders, errors={}))
    links = re.findall(r'href="([^"#]+/report\.html)"', page)
    assert [unquote(link) for link in links] == [f"{folder}/report.html" for folder in folders.values()]
    assert not any(character in "".join(links) for character in " #?&")
