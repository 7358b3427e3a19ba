from exporter.commands.lookup import columns


def test_columns_of_nothing() -> None:
    assert columns([]) == []
