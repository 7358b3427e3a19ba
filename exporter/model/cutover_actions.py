"""The operations on a task, by what they mean for its cut-over."""

from __future__ import annotations

NEEDED_ACTIONS = frozenset({"CONTINUE_APPLY", "CONTINUE_CAPTURE", "CONTINUE_JOB", "START_INCR"})
"""While one of them is available, the replication waits for the user."""
SWITCH_OVER = "SWITCH_OVER"
RUNNING_ACTIONS = frozenset(
    {
        *(SWITCH_OVER, "PAUSE", "STOP_JOB", "STOP_APPLY", "STOP_CAPTURE", "FREE_RESOURCE", "DELETE", "UNSUBSCRIBE"),
        *("RESET", "RETRY", "JUMP_RETRY", "CHANGE", "CHANGE_MODE", "NODE_FLAVOR_MODIFY"),
    }
)
"""Operations during which the replication stops, restarts or changes its direction."""
HARMLESS_ACTIONS = frozenset(
    {
        *("API_CONFIGURATION_ACTION", "CHOOSE_OBJECT", "CLONE", "CONTINUE_APPLY", "CONTINUE_CAPTURE", "CONTINUE_JOB"),
        *("CREATE", "MODIFY_CONFIGURATION", "MODIFY_DB_CONFIG", "MODIFY_TASK_NUMBER", "ORDER_INFO", "PAY_ORDER"),
        *("PRE_CHECK", "QUERY_PRE_CHECK", "RESET_DB_PWD", "START", "START_INCR", "TO_PERIOD", "TO_RENEW", ""),
    }
)
"""Operations that do not disturb the replication; empty: none is in progress."""
