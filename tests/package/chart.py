"""The Helm chart, by Helm itself, the schemas of Kubernetes and of the Prometheus operator,
promtool, kustomize, and the exporter, to which each example's configuration and flags are given."""

import base64
import gzip
import json
import logging
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import helm_python as helm
import kubernetes_validate
import yaml

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "stack")]
from stack import BIN, EXPORTER, ROOT
from pod_security import violations

CHART = ROOT / "deploy/helm/cloudtrail-exporter"
KUBERNETES = ROOT / "deploy/kubernetes"
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))
VERSIONS = ["1.25.0", "1.31.0", "1.37.0"]
SELECTING = ["Deployment", "StatefulSet", "NetworkPolicy", "PodMonitor", "PodDisruptionBudget"]
CASES = ["single", "sharded"]
WORKLOADS = {"Deployment", "StatefulSet"}
# What an object may have in annotations, where `kubectl apply` keeps a copy of it.
ANNOTATIONS_LIMIT = 256 * 1024
# Helm keeps a release in one Secret.
SECRET_LIMIT = 1024 * 1024


class StrictLoader(yaml.SafeLoader):
    """YAML in which a key may stand only once, as the API server has it."""


def _mapping(loader, node):
    keys = [key.value for key, _ in node.value]
    assert len(keys) == len(set(keys)), f"a key stands twice: {sorted(keys)}"
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def documents(text):
    return [document for document in yaml.load_all(text, StrictLoader) if document]


def render(values, name="cloudtrail-exporter"):
    with helm.Chart.load(CHART) as chart:
        rendered = chart.render(values, name=name, namespace="monitoring", is_install=True)
    notes = next(text for path, text in rendered.items() if path.endswith("NOTES.txt"))
    texts = (text for path, text in rendered.items() if not path.endswith("NOTES.txt"))
    return documents("\n---\n".join(texts)), notes


def values_of(path):
    return helm.values_from_yaml(path.read_text())


def of_kind(objects, *kinds):
    return [each for each in objects if each["kind"] in kinds]


def manifests_of(case):
    return documents((KUBERNETES / case / "manifests.yaml").read_text())


def pod_of(objects):
    (workload,) = of_kind(objects, *WORKLOADS)
    return workload["spec"]["template"]["spec"]


def examples():
    for path in EXAMPLES:
        yield path.name, values_of(path)


def example(name):
    return dict(examples())[f"{name}-values.yaml"]


def refused(values, *words):
    """Helm refuses the values and says why in these words."""
    try:
        render(values)
    except helm.HelmError as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"{values}: {missing} not in {error}"
        return
    raise AssertionError(f"accepted: {values}")


def helm_lints_every_example():
    for name, values in examples():
        report = helm.lint(CHART, values, strict=True, kube_version="v1.31.0")
        # An icon is the only thing a chart may lack.
        found = [m for m in report["messages"] if m["error"] != "icon is recommended"]
        assert not found and not report["errors"], f"{name}: {report}"


def kubernetes_accepts_every_object():
    """Core kinds by Kubernetes' own schemas, known fields only; the operator's by its models."""
    cases = [(name, render(values)[0]) for name, values in examples()]
    cases += [(case, manifests_of(case)) for case in CASES]
    for name, objects in cases:
        for each in objects:
            if each["apiVersion"].startswith("monitoring.coreos.com/"):
                operator_accepts(name, each)
            else:
                for version in VERSIONS:
                    kubernetes_validate.validate(each, version, strict=True)


def operator_accepts(name, each):
    from cloudcoil.models.prometheus_operator import v1

    # The models drop what they do not know: what comes out must be what went in.
    model = getattr(v1, each["kind"]).model_validate(each)
    read = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert read == each, f"{name}: {each['kind']} has fields that the operator does not know"


def pods_meet_pod_security_restricted():
    for name, values in examples():
        found = violations(pod_of(render(values)[0]))
        assert not found, f"{name}: {found}"
    assert violations({"containers": [{"name": "bare"}]}), "the check itself"


def tokens_of_the_api_are_not_mounted():
    for name, values in examples():
        objects, _ = render(values)
        assert pod_of(objects)["automountServiceAccountToken"] is False, name
        for account in of_kind(objects, "ServiceAccount"):
            assert account["automountServiceAccountToken"] is False, name


def selectors_select_the_pods():
    """Whatever labels the values bring, Service, monitors, policies and budget find the pods."""
    labels = {"app.kubernetes.io/name": "other", "team": "security"}
    hostile = {"commonLabels": labels, "podLabels": labels, "service": {"labels": labels}}
    for name, values in [*examples(), ("hostile", hostile)]:
        objects, _ = render(values)
        (workload,) = of_kind(objects, *WORKLOADS)
        (service,) = of_kind(objects, "Service")
        on_pods = workload["spec"]["template"]["metadata"]["labels"]
        selectors = [each["spec"].get("podSelector") or each["spec"]["selector"]
                     for each in of_kind(objects, *SELECTING)]
        for selector in [service["spec"]["selector"], *(s["matchLabels"] for s in selectors)]:
            assert selector.items() <= on_pods.items(), f"{name}: {selector} of {on_pods}"
        for monitor in of_kind(objects, "ServiceMonitor"):
            selector = monitor["spec"]["selector"]["matchLabels"]
            assert selector.items() <= service["metadata"]["labels"].items(), name
        if workload["kind"] == "StatefulSet":
            assert workload["spec"]["serviceName"] == service["metadata"]["name"], name
            assert service["spec"]["clusterIP"] == "None", name


def mounts_have_volumes_and_objects_exist():
    """Each mount has its volume; what the chart names after itself, it makes."""
    for name, values in examples():
        objects, _ = render(values)
        pod = pod_of(objects)
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        used = {m["name"] for c in pod["containers"] for m in c.get("volumeMounts", [])}
        assert used <= volumes, f"{name}: {used - volumes}"
        made = {(each["kind"], each["metadata"]["name"]) for each in objects}
        for reference in references(pod):
            assert reference in made or is_given(reference, values), f"{name}: {reference}"


def references(pod):
    """The objects that a pod needs, as (kind, name)."""
    yield "ServiceAccount", pod["serviceAccountName"]
    for volume in pod.get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            for kind in source:
                yield kind[0].upper() + kind[1:], source[kind]["name"]


def is_given(reference, values):
    """Whether the values name the object as one that exists already."""
    kind, name = reference
    given = {
        ("ServiceAccount", values.get("serviceAccount", {}).get("name")),
        ("ConfigMap", values.get("existingConfig", {}).get("configMap")),
        ("Secret", values.get("existingConfig", {}).get("secret")),
        ("Secret", values.get("existingWebConfig", {}).get("secret")),
        ("Secret", values.get("externalId", {}).get("existingSecret")),
        ("Secret", values.get("tlsSecret")),
    }
    return (kind, name) in given


def the_exporter_takes_configuration_and_flags():
    """The exporter itself checks the flags and files that each example gives it."""
    for name, values in examples():
        objects, _ = render(values)
        args = pod_of(objects)["containers"][0]["args"]
        with tempfile.TemporaryDirectory() as folder:
            files = mounted(objects, pathlib.Path(folder))
            checked = [argument for argument in map(files, args) if argument != "demo"]
            done = subprocess.run(
                [EXPORTER, *checked, "--config.check"],
                env={"HOSTNAME": "x"}, capture_output=True, text=True, check=False,
            )
        assert done.returncode == 0, f"{name}: {args}\n{done.stderr}"


def mounted(objects, folder):
    """Writes the files of ConfigMaps and Secrets, and says how an argument names them there."""
    (folder / "external-id").write_text("example-external-id")
    made_key(folder)
    (folder / "config.yaml").write_text("accounts: [{ id: '012345678901' }]\n")
    (folder / "web.yaml").write_text("{}\n")
    for each in of_kind(objects, "ConfigMap", "Secret"):
        for key, text in {**each.get("data", {}), **each.get("stringData", {})}.items():
            (folder / key).write_text(text)

    def place(argument):
        for mount in ("/etc/cloudtrail-exporter-web", "/etc/cloudtrail-exporter"):
            argument = argument.replace(mount + "/", f"{folder}/")
        return argument

    return place


def made_key(folder):
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", folder / "tls.key", "-out", folder / "tls.crt"]
    command = ["openssl", "req", "-x509", *curve, "-subj", "/CN=test", *files]
    subprocess.run(command, check=True, capture_output=True)


def the_configuration_is_the_one_written():
    for name, values in examples():
        if not values.get("config"):
            continue
        objects, _ = render(values)
        (held,) = [each for each in of_kind(objects, "ConfigMap", "Secret")
                   if "config.yaml" in (each.get("data") or each["stringData"])]
        assert held["kind"] == ("Secret" if values.get("configAsSecret") else "ConfigMap"), name
        text = (held.get("data") or held["stringData"])["config.yaml"]
        wanted = json.loads(json.dumps(values["config"]))
        if values.get("externalId"):
            wanted.setdefault("defaults", {})["external_id_file"] = "external-id"
        assert yaml.safe_load(text) == wanted, name
    objects, _ = render({"config": {"limits": {"max_accounts": 1000000}}})
    (config,) = of_kind(objects, "ConfigMap")
    assert "max_accounts: 1000000\n" in config["data"]["config.yaml"] + "\n", "no power of ten"


def a_change_of_configuration_replaces_the_pods():
    def annotations(values):
        (workload,) = of_kind(render(values)[0], *WORKLOADS)
        return workload["spec"]["template"]["metadata"]["annotations"]

    config = lambda region: {"config": {"aws": {"region": region}}}
    web = lambda header: {"webConfig": {"http_server_config": {"headers": {"X-Test": header}}}}
    for make in (config, web):
        assert annotations(make("us-east-1")) != annotations(make("us-west-2"))
        assert annotations(make("us-east-1")) == annotations(make("us-east-1"))
        same = {"rollOnConfigChange": False}
        east, west = ({**make(value), **same} for value in ("us-east-1", "us-west-2"))
        assert annotations(east) == annotations(west)


def wrong_values_are_refused():
    account = lambda **keys: {"config": {"accounts": [keys]}}
    refused({"replica": 2}, "replica")
    refused({"image": {"digest": "sha256:short"}}, "digest")
    refused(account(id=12345678901), "id")
    refused(account(id="12345678901"), "id")
    refused(account(id="012345678901", role="x"), "role")
    refused({"config": {"poll": {"interval": 300}}}, "interval")
    excluded = {"organizations": {"exclude_accounts": [111122223333]}}
    refused({"config": {"discovery": excluded}}, "exclude_accounts")
    refused({"log": {"level": "trace"}}, "level")
    refused({"telemetryPath": "metrics"}, "telemetryPath")
    refused({"service": {"port": 0}}, "port")
    refused({"sharding": {"enabled": True}}, "sharding needs accounts")
    config = {"config": {"aws": {"region": "us-east-1"}}}
    refused({**config, "existingConfig": {"secret": "x"}}, "config and existingConfig are both set")
    refused({"existingConfig": {"secret": "x", "configMap": "y"}}, "are both set")
    refused({**config, "demo": True}, "demo")
    refused({"demo": True, "sharding": {"enabled": True}}, "demo")
    refused({"webConfig": {"a": {}}, "existingWebConfig": {"secret": "x"}}, "both set")
    refused({"tlsSecret": "x"}, "tlsSecret needs webConfig")
    refused({"externalId": {"existingSecret": "x"}}, "externalId needs config")
    refused({"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}, "twice")
    refused(account(id="012345678901", external_id="secret"), "ConfigMap does not protect")
    refused({"config": {"defaults": {"external_id": "secret"}}}, "ConfigMap does not protect")
    discovery = {"organizations": {"external_id": "secret"}}
    refused({"config": {"discovery": discovery}}, "ConfigMap does not protect")
    rule = {"enabled": True, "disabledAlerts": ["CloudTrailNone"]}
    refused({"prometheusRule": rule}, "CloudTrailNone", "CloudTrailNotLogging")


def values_have_schema_and_description():
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    rows = (CHART / "README.md").read_text()

    def walk(values, properties, path):
        unknown = set(values) ^ set(properties)
        assert unknown <= {"global"}, f"{path}: {unknown}"
        for key, value in values.items():
            inner = properties[key].get("properties")
            here = f"{path}{key}"
            if isinstance(value, dict) and inner and f"| `{here}` |" not in rows:
                walk(value, inner, f"{here}.")
            else:
                assert f"| `{here}` |" in rows, f"{here} has no description"

    walk(defaults, schema["properties"], "")


def rules_are_the_shipped_ones():
    for name, values in examples():
        if not values.get("prometheusRule", {}).get("enabled"):
            continue
        objects, _ = render(values)
        (rule,) = of_kind(objects, "PrometheusRule")
        groups = rule["spec"]["groups"]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": groups}, file)
            file.flush()
            command = ["promtool", "check", "rules", file.name]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (job,) = scrape_jobs(objects)
        expected = shipped_groups(job, values["prometheusRule"])
        assert groups == expected, f"{name}: rules differ from deploy/prometheus"


def scrape_jobs(objects):
    """The job that the monitors of an example set."""
    for monitor in of_kind(objects, "ServiceMonitor", "PodMonitor"):
        endpoints = monitor["spec"].get("endpoints") or monitor["spec"]["podMetricsEndpoints"]
        for endpoint in endpoints:
            first = endpoint["relabelings"][0]
            assert first["targetLabel"] == "job"
            yield first["replacement"]


def shipped_groups(job, values):
    groups = []
    for name in ("recording", "dashboards", "alerts"):
        text = (ROOT / f"deploy/prometheus/{name}.rules.yaml").read_text()
        text = text.replace('job="cloudtrail-exporter"', f'job="{job}"')
        groups += yaml.safe_load(text)["groups"]
    for group in groups:
        left_out = values.get("disabledAlerts", [])
        group["rules"] = [rule for rule in group["rules"] if rule.get("alert") not in left_out]
        for rule in group["rules"]:
            if "alert" in rule:
                rule["labels"] = {**rule.get("labels", {}), **values.get("alertLabels", {})}
    return groups


def the_absent_exporter_alert_names_the_job():
    values = {"prometheusRule": {"enabled": True}, "jobName": "audit/cloudtrail"}
    objects, _ = render(values, name="other")
    text = json.dumps(of_kind(objects, "PrometheusRule"))
    assert 'job=\\"audit/cloudtrail\\"' in text and 'job=\\"cloudtrail-exporter\\"' not in text


def each_dashboard_fits_its_object():
    objects, _ = render({"dashboards": {"enabled": True}})
    maps = [o for o in of_kind(objects, "ConfigMap") if "dashboard" in o["metadata"]["name"]]
    files = (ROOT / "dashboards").glob("*.json")
    shipped = {path.name: json.loads(path.read_text()) for path in files}
    held = {key: json.loads(text) for each in maps for key, text in each["data"].items()}
    assert held == {f"cloudtrail-{name}": board for name, board in shipped.items()}
    for each in maps:
        assert len(each["data"]) == 1
        assert len(json.dumps(each)) < ANNOTATIONS_LIMIT, each["metadata"]["name"]


def every_object_fits_an_annotation():
    for name, values in examples():
        for each in render(values)[0]:
            size = len(json.dumps(each))
            assert size < ANNOTATIONS_LIMIT, f"{name}: {each['kind']} has {size} bytes"


def a_release_fits_its_secret():
    with helm.Chart.load(CHART) as chart:
        files = [*chart.files, *chart.templates]
    objects, _ = render(example("organization-irsa"))
    release = {"chart": files, "manifest": objects}
    inner = base64.b64encode(gzip.compress(json.dumps(release).encode()))
    size = len(base64.b64encode(inner))
    print(f"    a release takes about {size // 1024} KiB of {SECRET_LIMIT // 1024}")
    assert size < SECRET_LIMIT // 2


def long_names_keep_the_shard():
    """A pod's host name has at most 63 characters, and the shard is at its end."""
    name = "a-release-name-that-is-as-long-as-helm-permits-00053"
    values = {"sharding": {"enabled": True, "shards": 1000}, "config": {"aws": {"region": "x"}}}
    objects, _ = render(values, name=name)
    (workload,) = of_kind(objects, "StatefulSet")
    assert len(workload["metadata"]["name"] + "-999") <= 63
    # The controller's label has the name and a hash of ten characters.
    assert len(workload["metadata"]["name"] + "-0123456789") <= 63
    for each in objects:
        for label, value in each["metadata"]["labels"].items():
            assert len(value) <= 63, f"{label}: {value}"


def shards_follow_one_value():
    objects, _ = render(example("sharded-pod-identity"))
    (workload,) = of_kind(objects, "StatefulSet")
    assert workload["spec"]["replicas"] == 6
    args = pod_of(objects)["containers"][0]["args"]
    assert "--total-shards=6" in args and "--shard-from-hostname" in args


def probes_ask_what_answers_them():
    """Without a web configuration the kubelet asks; with one, the exporter's own client."""
    plain = pod_of(render({})[0])["containers"][0]
    assert plain["livenessProbe"]["httpGet"] == {"path": "/-/healthy", "port": "http"}
    assert plain["readinessProbe"]["httpGet"] == {"path": "/-/ready", "port": "http"}
    tls = pod_of(render(example("tls"))[0])["containers"][0]
    assert tls["livenessProbe"]["exec"]["command"][-1] == "https://127.0.0.1:8443/-/healthy"
    assert tls["readinessProbe"]["exec"]["command"][-1] == "https://127.0.0.1:8443/-/ready"
    users = {"webConfig": {"basic_auth_users": {"prometheus": "$2b$10$x"}}}
    plain_users = pod_of(render(users)[0])["containers"][0]
    asked = plain_users["livenessProbe"]["exec"]["command"][-1]
    assert asked == "http://127.0.0.1:10065/-/healthy"


def notes_say_what_is_missing():
    assert "account of the pod's own AWS credentials" in render({})[1]
    assert "made up" in render({"demo": True})[1]
    assert "serviceMonitor.enabled=true" in render({})[1]
    assert "serviceMonitor.enabled=true" not in render({"serviceMonitor": {"enabled": True}})[1]


def the_package_holds_the_linked_files():
    with tempfile.TemporaryDirectory() as folder:
        archive = helm.package(CHART, destination=folder)
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                assert member.isfile() or member.isdir(), f"{member.name} is a link"
            files = [member for member in tar.getmembers() if member.isfile()]
            held = {m.name.split("/", 1)[1]: tar.extractfile(m).read() for m in files}
        sizes = pathlib.Path(archive).stat().st_size
    print(f"    the package has {sizes // 1024} KiB")
    for link in [*CHART.glob("files/*/*")]:
        assert link.is_symlink(), f"{link} is a copy"
        assert held[str(link.relative_to(CHART))] == link.read_bytes(), link
    assert len([*CHART.glob("files/*/*")]) == 6


def generated_files_are_up_to_date():
    script = ROOT / "deploy/helm/generate.py"
    command = [sys.executable, script, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def kustomize_builds_the_manifests():
    for case in CASES:
        command = [BIN / "kubectl", "kustomize", KUBERNETES / case]
        built = subprocess.run(command, capture_output=True, text=True, check=True)
        objects = documents(built.stdout)
        kinds = {each["kind"] for each in objects}
        assert {"ConfigMap", "ServiceAccount", "Service"} <= kinds and kinds & WORKLOADS, kinds
        assert "helm" not in built.stdout.lower()
        key = lambda each: (each["kind"], each["metadata"]["name"])
        wanted = sorted(manifests_of(case), key=key)
        assert sorted(objects, key=key) == wanted, "kustomize changes nothing by itself"


TESTS = [
    helm_lints_every_example,
    kubernetes_accepts_every_object,
    pods_meet_pod_security_restricted,
    tokens_of_the_api_are_not_mounted,
    selectors_select_the_pods,
    mounts_have_volumes_and_objects_exist,
    the_exporter_takes_configuration_and_flags,
    the_configuration_is_the_one_written,
    a_change_of_configuration_replaces_the_pods,
    wrong_values_are_refused,
    values_have_schema_and_description,
    rules_are_the_shipped_ones,
    the_absent_exporter_alert_names_the_job,
    each_dashboard_fits_its_object,
    every_object_fits_an_annotation,
    a_release_fits_its_secret,
    long_names_keep_the_shard,
    shards_follow_one_value,
    probes_ask_what_answers_them,
    notes_say_what_is_missing,
    the_package_holds_the_linked_files,
    generated_files_are_up_to_date,
    kustomize_builds_the_manifests,
]


def main():
    logging.disable()
    failed = 0
    for test in TESTS:
        try:
            test()
            print(f"    ok      {test.__name__}")
        except Exception as error:  # noqa: BLE001 every kind of failure is one
            failed += 1
            print(f"    FAILED  {test.__name__}: {type(error).__name__}: {error}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
