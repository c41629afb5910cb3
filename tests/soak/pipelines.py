"""The pipelines that are deployed: ordinary ones, and some that only burn what they get."""


def chain(project, source, *steps):
    """A pipeline of a source and of steps that each take the one before, by the lane `text`."""
    components = [{"id": "source", "provider": source, "config": {}}]
    lane = "documents" if source == "timer" else "text"
    for number, (provider, config) in enumerate(steps):
        before = components[-1]["id"]
        components.append(
            {"id": f"step_{number}", "provider": provider, "config": config, "input": [{"lane": lane, "from": before}]}
        )
        lane = "text"
    return {"project_id": project, "source": "source", "components": components}


def echo(project):
    return chain(project, "webhook", ("response", {"laneName": "echo"}))


def ticking(project, text):
    return chain(project, "timer", ("template", {"template": text}), ("response", {"laneName": "text"}))


def copying(project):
    """Copies the new lines of a file that grows."""
    return {
        "project_id": project,
        "source": "file",
        "components": [
            {"id": "file", "provider": "file_source", "config": {"mode": "Source", "path": f"{project}.ndjson"}},
            {"id": "new", "provider": "dedupe", "config": {"key": ".id"}, "input": [{"lane": "documents", "from": "file"}]},
            {"id": "out", "provider": "file_sink", "config": {"path": project}, "input": [{"lane": "documents", "from": "new"}]},
        ],
    }


def burning(project, program):
    return {
        "project_id": project,
        "source": "source",
        "components": [
            {"id": "source", "provider": "timer", "config": {}},
            {"id": "jq", "provider": "json", "config": {"program": program}, "input": [{"lane": "documents", "from": "source"}]},
            {"id": "out", "provider": "response", "config": {}, "input": [{"lane": "documents", "from": "jq"}]},
        ],
    }


# A processor for as long as it is let, in native code that no meter stops, and memory in strings that are each of a size that is allowed.
ALL_TIME = "reduce range(1000000) as $i ([range(500000)]; sort)"
ALL_MEMORY = '[range(300) | "x" * 16000000] | length'
