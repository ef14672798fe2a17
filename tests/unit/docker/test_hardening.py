"""What may run, and how little it may do: read from the files, since no engine runs here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from order_service.settings.sections import Service

ROOT = Path(__file__).resolve().parents[3]
DOCKER = ROOT / "docker"
STACK: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
OURS = sorted(
    name for name, each in SERVICES.items() if str(each["image"]).startswith("order-manager:")
)
DOCKERFILE = (DOCKER / "Dockerfile").read_text()


def instructions(word: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.partition(" ")[2] for line in joined.splitlines() if line.startswith(f"{word} ")]


def test_our_own_services_are_those_the_stack_is_for():
    assert OURS == ["guardian", "migrate", "order-manager", "simulator"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_gains_rights_or_runs_unbounded(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["pids_limit"] > 0
    assert service["init"] is True
    assert not service.get("privileged", False)
    assert "network_mode" not in service
    assert "pid" not in service


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_k19_no_service_lays_down_the_confinement_that_the_engine_gives_it(name):
    service = SERVICES[name]
    assert not [each for each in service["security_opt"] if "unconfined" in each]
    assert {"ipc", "userns_mode", "devices", "cgroup", "sysctls"}.isdisjoint(service)


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_as_nobody_special_on_a_read_only_root(name):
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert "cap_add" not in service
    assert [mount for mount in service["tmpfs"] if mount.startswith("/tmp:")]
    for mount in service["tmpfs"]:
        assert {"noexec", "nosuid", "nodev"} <= set(mount.split(":")[1].split(","))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_published_on_this_machine_only(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_mounts_the_engine_or_a_writable_folder_of_the_host(name):
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.partition(":")
        assert "docker.sock" not in volume
        assert not source.startswith("/")
        if source.startswith("."):
            assert rest.endswith(":ro"), volume


def test_database_and_broker_are_reached_from_the_inside_network_only():
    assert STACK["networks"]["inside"]["internal"] is True
    for name in ("postgres", "rabbitmq"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]


def test_the_database_is_started_with_the_durability_the_service_insists_on():
    command = SERVICES["postgres"]["command"]
    for setting in ("fsync=on", "full_page_writes=on", "synchronous_commit=on"):
        assert setting in command


@pytest.mark.parametrize("name", ["postgres", "rabbitmq", "simulator"])
def test_what_others_wait_for_tells_its_health(name):
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_the_service_waits_for_a_migrated_database_and_a_healthy_broker():
    waits = SERVICES["order-manager"]["depends_on"]
    assert waits["migrate"]["condition"] == "service_completed_successfully"
    assert waits["rabbitmq"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["restart"] == "no"


def test_a_stop_leaves_the_service_longer_than_it_may_drain():
    drain = Service().shutdown_timeout.total_seconds()
    grace = SERVICES["order-manager"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > drain


def test_without_settings_the_stack_trades_on_the_simulated_exchange():
    environment = SERVICES["order-manager"]["environment"]
    assert environment["ORDERMANAGER_ENABLE_DRY_RUN"] == "${ORDERMANAGER_ENABLE_DRY_RUN:-true}"


def test_every_variable_the_stack_sets_is_one_the_service_knows():
    known = set(re.findall(r"^#?(\w+)=", (ROOT / "env.example").read_text(), re.MULTILINE))
    for name in OURS:
        unknown = set(SERVICES[name].get("environment", {})) - known
        assert not unknown, name


def test_every_image_of_others_names_its_version():
    for service in SERVICES.values():
        image = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", str(service["image"]))
        assert ":" in image
        assert not image.endswith(":latest")


@pytest.mark.parametrize(("name", "oldest"), [("postgres", 15), ("rabbitmq", 3)])
def test_the_database_and_the_broker_are_of_the_versions_that_were_asked_for(name, oldest):
    image = str(SERVICES[name]["image"])
    version = re.search(rf"\b{name}:(\d+)", image)
    assert version is not None, image
    assert int(version[1]) >= oldest


def test_no_secret_stands_in_the_files():
    for path in (DOCKER / "compose.yaml", DOCKER / "Dockerfile", ROOT / "compose.yaml"):
        for line in path.read_text().splitlines():
            if re.search(r"(PASSWORD|PASS|SECRET|API_KEY)\b.*:", line) and "#" not in line:
                assert "${" in line, line


def test_the_image_is_built_in_stages_and_runs_as_a_user_without_a_shell():
    stages = instructions("FROM")
    assert len(stages) == 3
    assert instructions("USER") == ["10001:10001"]
    assert DOCKERFILE.index("USER 10001") < DOCKERFILE.index("ENTRYPOINT")
    assert "--shell /usr/sbin/nologin" in DOCKERFILE


def test_the_image_installs_exactly_what_the_lock_says_and_no_tool_of_developers():
    syncs = [line for line in instructions("RUN") if "uv sync" in line]
    assert len(syncs) == 2
    assert all("--locked" in each and "--no-default-groups" in each for each in syncs)


def test_the_image_is_started_without_a_shell_and_tells_its_health():
    assert instructions("ENTRYPOINT") == ['["order-manager"]']
    assert instructions("CMD") == ['["serve"]']
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert "HEALTHCHECK" in DOCKERFILE


def test_the_image_carries_nothing_it_was_not_given():
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    allowed = sorted(line[1:] for line in ignored if line.startswith("!"))
    assert allowed == ["apps", "packages", "pyproject.toml", "uv.lock"]
    copied = {
        word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]
    }
    assert {each.split("/")[0] for each in copied} == set(allowed)


def test_the_compose_file_of_the_root_includes_the_stack_with_the_root_as_its_folder():
    root = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert root == {"include": [{"path": "docker/compose.yaml", "project_directory": "."}]}
    assert "version" not in STACK
