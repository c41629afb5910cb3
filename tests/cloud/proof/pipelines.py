"""The pipelines that the proof deploys."""


def on_timer(project, template="done"):
    """Answers what a template makes of the object that a schedule or a call starts it with."""
    return {
        "project_id": project,
        "source": "timer_1",
        "components": [
            {"id": "timer_1", "provider": "timer", "config": {}},
            {
                "id": "text_1",
                "provider": "template",
                "config": {"template": template},
                "input": [{"lane": "documents", "from": "timer_1"}],
            },
            {
                "id": "log_1",
                "provider": "log",
                "config": {},
                "input": [{"lane": "text", "from": "text_1"}],
            },
            {
                "id": "response_1",
                "provider": "response",
                "config": {},
                "input": [{"lane": "text", "from": "text_1"}],
            },
        ],
    }


def on_webhook(project):
    """Answers the text that a webhook is sent."""
    return {
        "project_id": project,
        "source": "hook_1",
        "components": [
            {"id": "hook_1", "provider": "webhook", "config": {}},
            {
                "id": "response_1",
                "provider": "response",
                "config": {"laneName": "echo"},
                "input": [{"lane": "text", "from": "hook_1"}],
            },
        ],
    }


def on_request(project, url):
    """Calls another server, and returns its answer."""
    return {
        "project_id": project,
        "source": "timer_1",
        "components": [
            {"id": "timer_1", "provider": "timer", "config": {}},
            {
                "id": "request_1",
                "provider": "http_request",
                "config": {"url": url},
                "input": [{"lane": "documents", "from": "timer_1"}],
            },
            {
                "id": "response_1",
                "provider": "response",
                "config": {},
                "input": [{"lane": "text", "from": "request_1"}],
            },
        ],
    }


def with_three_problems(project):
    """No such provider, no such component, a config without what it needs: all are reported at once."""
    return {
        "project_id": project,
        "source": "timer_1",
        "components": [
            {"id": "timer_1", "provider": "timer", "config": {}},
            {"id": "a", "provider": "tmeplate", "config": {}, "input": [{"lane": "documents", "from": "timer_1"}]},
            {"id": "b", "provider": "response", "config": {}, "input": [{"lane": "text", "from": "missing"}]},
            {"id": "c", "provider": "template", "config": {}, "input": [{"lane": "documents", "from": "timer_1"}]},
        ],
    }
