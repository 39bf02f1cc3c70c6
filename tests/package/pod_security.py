"""The Pod Security Standard `restricted`, as far as a pod's specification can break it."""

VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}
SECCOMP = {"RuntimeDefault", "Localhost"}
HOST = ("hostNetwork", "hostPID", "hostIPC")


def violations(pod):
    """What the specification has that `restricted` forbids, or lacks that it requires."""
    found = [field for field in HOST if pod.get(field)]
    for volume in pod.get("volumes", []):
        found += [f"volume {kind}" for kind in set(volume) - {"name"} - VOLUMES]
    context = pod.get("securityContext", {})
    found += [f"sysctl {each['name']}" for each in context.get("sysctls", [])]
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod.get(kind, []):
            found += [f"{container['name']}: {what}" for what in of_container(container, context)]
    return found


def of_container(container, pod):
    own = container.get("securityContext", {})
    either = lambda field: own.get(field, pod.get(field))
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []):
        yield "capabilities are not dropped"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if either("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if either("runAsUser") == 0:
        yield "runAsUser"
    if (either("seccompProfile") or {}).get("type") not in SECCOMP:
        yield "seccompProfile"
    if (either("appArmorProfile") or {"type": "RuntimeDefault"})["type"] not in SECCOMP:
        yield "appArmorProfile"
    if own.get("procMount", "Default") != "Default":
        yield "procMount"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "hostPort"
