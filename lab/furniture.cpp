#include "lab/furniture.hpp"

namespace lab {

const char* const kSystemYaml = R"~~(
apiVersion: v1
kind: Namespace
metadata:
  name: kubevirt
  creationTimestamp: "$created"
  labels: {kubernetes.io/metadata.name: kubevirt, pod-security.kubernetes.io/enforce: privileged}
spec: {finalizers: [kubernetes]}
status: {phase: Active}
---
apiVersion: v1
kind: Namespace
metadata:
  name: prod
  creationTimestamp: "$created"
  labels: {kubernetes.io/metadata.name: prod}
spec: {finalizers: [kubernetes]}
status: {phase: Active}
---
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata:
  name: kubevirt
  namespace: kubevirt
  creationTimestamp: "$created"
  generation: 1
  finalizers: [foregroundDeleteKubeVirt]
spec: {configuration: {}}
status:
  phase: Deployed
  defaultArchitecture: amd64
  observedKubeVirtVersion: v1.9.0
  operatorVersion: v1.9.0
  targetKubeVirtVersion: v1.9.0
  outdatedVirtualMachineInstanceWorkloads: 0
  conditions:
  - {type: Available, status: "True", reason: AllComponentsReady,
     message: All components are ready.}
  - {type: Progressing, status: "False", reason: AllComponentsReady,
     message: All components are ready.}
  - {type: Degraded, status: "False", reason: AllComponentsReady,
     message: All components are ready.}
---
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: block.csi.example.com, creationTimestamp: "$created"}
spec:
  attachRequired: true
  podInfoOnMount: false
  storageCapacity: false
  fsGroupPolicy: ReadWriteOnceWithFSType
  volumeLifecycleModes: [Persistent]
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: shared-block
  creationTimestamp: "$created"
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: block.csi.example.com
reclaimPolicy: Delete
volumeBindingMode: Immediate
allowVolumeExpansion: true
)~~";

const char* const kNodeYaml = R"~~(
apiVersion: v1
kind: Node
metadata:
  name: $node
  uid: $node_uid
  creationTimestamp: "$created"
  labels:
    kubernetes.io/arch: amd64
    kubernetes.io/hostname: $node
    kubernetes.io/os: linux
    node-role.kubernetes.io/worker: ""
    kubevirt.io/schedulable: "true"
    kubevirt.io/cpumanager: "false"
    cpumanager: "false"
    cpu-vendor.node.kubevirt.io/Intel: "true"
    cpu-model.node.kubevirt.io/$model: "true"
    cpu-model-migration.node.kubevirt.io/$model: "true"
    host-model-cpu.node.kubevirt.io/$model: "true"
    host-model-required-features.node.kubevirt.io/vmx: "true"
    cpu-feature.node.kubevirt.io/vmx: "true"
    machine-type.node.kubevirt.io/q35: "true"
    machine-type.node.kubevirt.io/pc-q35-rhel9.6.0: "true"
    machine-type.node.kubevirt.io/pc-q35-rhel9.4.0: "true"
  annotations:
    kubevirt.io/heartbeat: "$now"
    volumes.kubernetes.io/controller-managed-attach-detach: "true"
    csi.volume.kubernetes.io/nodeid: '{"block.csi.example.com":"$node"}'
spec: {podCIDR: $pod_network, podCIDRs: [$pod_network]}
status:
  addresses:
  - {type: InternalIP, address: $address}
  - {type: Hostname, address: $node}
  capacity: &resources
    cpu: $cpu
    memory: $memory
    pods: $pods
    ephemeral-storage: 500Gi
    hugepages-1Gi: "0"
    hugepages-2Mi: "0"
    devices.kubevirt.io/kvm: 1k
    devices.kubevirt.io/tun: 1k
    devices.kubevirt.io/vhost-net: 1k
  allocatable: *resources
  conditions:
  - type: MemoryPressure
    status: "False"
    reason: KubeletHasSufficientMemory
    message: kubelet has sufficient memory available
    lastHeartbeatTime: "$now"
    lastTransitionTime: "$created"
  - type: DiskPressure
    status: "False"
    reason: KubeletHasNoDiskPressure
    message: kubelet has no disk pressure
    lastHeartbeatTime: "$now"
    lastTransitionTime: "$created"
  - type: PIDPressure
    status: "False"
    reason: KubeletHasSufficientPID
    message: kubelet has sufficient PID available
    lastHeartbeatTime: "$now"
    lastTransitionTime: "$created"
  - type: Ready
    status: "True"
    reason: KubeletReady
    message: kubelet is posting ready status
    lastHeartbeatTime: "$now"
    lastTransitionTime: "$created"
  daemonEndpoints: {kubeletEndpoint: {Port: 10250}}
  nodeInfo:
    architecture: amd64
    bootID: $boot_uid
    machineID: $machine_uid
    systemUUID: $machine_uid
    containerRuntimeVersion: containerd://2.1.4
    kernelVersion: 6.12.0-lab
    kubeProxyVersion: ""
    kubeletVersion: v1.36.3
    operatingSystem: linux
    osImage: virt-handoff lab
---
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: $node
  namespace: kube-node-lease
  creationTimestamp: "$created"
  ownerReferences: [{apiVersion: v1, kind: Node, name: $node, uid: $node_uid}]
spec: {holderIdentity: $node, leaseDurationSeconds: 40, renewTime: "$now_micro"}
---
apiVersion: storage.k8s.io/v1
kind: CSINode
metadata:
  name: $node
  creationTimestamp: "$created"
  ownerReferences: [{apiVersion: v1, kind: Node, name: $node, uid: $node_uid}]
spec:
  drivers: [{name: block.csi.example.com, nodeID: $node, topologyKeys: []}]
---
apiVersion: v1
kind: Pod
metadata:
  name: virt-handler-$node
  namespace: kubevirt
  creationTimestamp: "$created"
  generateName: virt-handler-
  labels: {kubevirt.io: virt-handler, pod-template-generation: "1"}
  annotations:
    k8s.v1.cni.cncf.io/network-status: >-
      [{"name":"k8s-pod-network","ips":["$handler_address"],"default":true,"dns":{}}]
  ownerReferences:
  - {apiVersion: apps/v1, kind: DaemonSet, name: virt-handler, controller: true,
     blockOwnerDeletion: true, uid: $handler_uid}
spec:
  nodeName: $node
  serviceAccountName: kubevirt-handler
  restartPolicy: Always
  priorityClassName: kubevirt-cluster-critical
  tolerations:
  - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}
  - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute}
  containers:
  - name: virt-handler
    image: quay.io/kubevirt/virt-handler:v1.9.0
    resources: {requests: {cpu: 10m, memory: 325Mi}}
status:
  phase: Running
  podIP: $handler_address
  podIPs: [{ip: $handler_address}]
  hostIP: $address
  startTime: "$created"
  qosClass: Burstable
  conditions:
  - {type: Initialized, status: "True", lastTransitionTime: "$created"}
  - {type: Ready, status: "True", lastTransitionTime: "$created"}
  - {type: ContainersReady, status: "True", lastTransitionTime: "$created"}
  - {type: PodScheduled, status: "True", lastTransitionTime: "$created"}
  containerStatuses:
  - {name: virt-handler, ready: true, started: true, restartCount: 0,
     image: "quay.io/kubevirt/virt-handler:v1.9.0", imageID: "", lastState: {},
     state: {running: {startedAt: "$created"}}}
)~~";

const char* const kHandlerYaml = R"~~(
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: virt-handler
  namespace: kubevirt
  uid: $handler_uid
  creationTimestamp: "$created"
  generation: 1
  labels: {kubevirt.io: virt-handler, app.kubernetes.io/managed-by: virt-operator}
spec:
  selector: {matchLabels: {kubevirt.io: virt-handler}}
  template:
    metadata: {labels: {kubevirt.io: virt-handler}}
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      containers:
      - {name: virt-handler, image: "quay.io/kubevirt/virt-handler:v1.9.0"}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}
status: {}
)~~";

const char* const kMachineYaml = R"~~(
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: $name-disk
  namespace: $ns
  uid: $claim_uid
  creationTimestamp: "$created"
  annotations:
    pv.kubernetes.io/bind-completed: "yes"
    volume.kubernetes.io/storage-provisioner: block.csi.example.com
  finalizers: [kubernetes.io/pvc-protection]
spec:
  accessModes: [$access]
  resources: {requests: {storage: 20Gi}}
  storageClassName: shared-block
  volumeMode: Block
  volumeName: pvc-$claim_uid
status: {phase: Bound, accessModes: [$access], capacity: {storage: 20Gi}}
---
apiVersion: v1
kind: PersistentVolume
metadata:
  name: pvc-$claim_uid
  creationTimestamp: "$created"
  annotations: {pv.kubernetes.io/provisioned-by: block.csi.example.com}
  finalizers: [kubernetes.io/pv-protection, external-attacher/block-csi-example-com]
spec:
  accessModes: [$access]
  capacity: {storage: 20Gi}
  claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, namespace: $ns, name: $name-disk,
    uid: $claim_uid}
  csi: {driver: block.csi.example.com, volumeHandle: $claim_uid}
  persistentVolumeReclaimPolicy: Delete
  storageClassName: shared-block
  volumeMode: Block
status: {phase: Bound, lastPhaseTransitionTime: "$created"}
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata:
  name: csi-$attachment
  creationTimestamp: "$created"
  finalizers: [external-attacher/block-csi-example-com]
spec:
  attacher: block.csi.example.com
  nodeName: $node
  source: {persistentVolumeName: pvc-$claim_uid}
status: {attached: true}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: $name
  namespace: $ns
  uid: $vm_uid
  creationTimestamp: "$created"
  generation: 1
  labels: {app: $name}
  annotations:
    kubevirt.io/latest-observed-api-version: v1
    kubevirt.io/storage-observed-api-version: v1
  finalizers: [kubevirt.io/virtualMachineControllerFinalize]
spec:
  runStrategy: Always
  template:
    metadata: {labels: {app: $name}}
    spec:
      architecture: amd64
      domain:
        cpu: {cores: $$cores, model: host-model}
        devices:
          disks: [{name: disk, disk: {bus: virtio}}]
          interfaces: [{name: default, masquerade: {}}]
        features: {acpi: {enabled: true}}
        firmware: {serial: $serial_uid, uuid: $firmware_uid}
        machine: {type: q35}
        memory: {guest: $guest}
        resources: {}
      evictionStrategy: LiveMigrate
      networks: [{name: default, pod: {}}]
      terminationGracePeriodSeconds: 180
      volumes: [{name: disk, persistentVolumeClaim: {claimName: $name-disk}}]
status:
  created: true
  ready: true
  desiredGeneration: 1
  observedGeneration: 1
  printableStatus: Running
  runStrategy: Always
  conditions:
  - {type: Ready, status: "True", lastProbeTime: null, lastTransitionTime: "$created"}
  - {type: LiveMigratable, status: "True", lastProbeTime: null, lastTransitionTime: null}
  - {type: StorageLiveMigratable, status: "True", lastProbeTime: null, lastTransitionTime: null}
---
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: $name
  namespace: $ns
  uid: $vmi_uid
  creationTimestamp: "$created"
  generation: 6
  labels: {app: $name, kubevirt.io/nodeName: $node, vm.kubevirt.io/name: $name}
  annotations:
    kubevirt.io/latest-observed-api-version: v1
    kubevirt.io/pci-topology-version: v3
    kubevirt.io/storage-observed-api-version: v1
    kubevirt.io/vm-generation: "1"
  finalizers:
  - kubevirt.io/virtualMachineControllerFinalize
  - kubevirt.io/foregroundDeleteVirtualMachine
  ownerReferences:
  - {apiVersion: kubevirt.io/v1, kind: VirtualMachine, name: $name, controller: true,
     blockOwnerDeletion: true, uid: $vm_uid}
spec: {}
status:
  activePods: {$pod_uid: $node}
  conditions:
  - {type: Ready, status: "True", lastProbeTime: null, lastTransitionTime: "$created"}
  - {type: LiveMigratable, status: "True", lastProbeTime: null, lastTransitionTime: null}
  - {type: StorageLiveMigratable, status: "True", lastProbeTime: null, lastTransitionTime: null}
  currentCPUTopology: {cores: $$cores}
  guestOSInfo: {}
  interfaces:
  - {name: default, infoSource: domain, ipAddress: $pod_address, ipAddresses: [$pod_address],
     mac: $mac, podInterfaceName: eth0, queueCount: 1}
  launcherContainerImageVersion: quay.io/kubevirt/virt-launcher:v1.9.0
  machine: {type: pc-q35-rhel9.6.0}
  memory: {guestAtBoot: $guest, guestCurrent: $guest, guestRequested: $guest,
    memoryOverhead: $overhead}
  migrationMethod: LiveMigration
  migrationTransport: Unix
  nodeName: $node
  phase: Running
  phaseTransitionTimestamps:
  - {phase: Pending, phaseTransitionTimestamp: "$created"}
  - {phase: Scheduling, phaseTransitionTimestamp: "$created"}
  - {phase: Scheduled, phaseTransitionTimestamp: "$created"}
  - {phase: Running, phaseTransitionTimestamp: "$created"}
  qosClass: Burstable
  runtimeUser: 107
  selinuxContext: none
  virtualMachineRevisionName: revision-start-vm-$vm_uid-1
  volumeStatus:
  - name: disk
    target: vda
    persistentVolumeClaimInfo:
      accessModes: [$access]
      capacity: {storage: 20Gi}
      claimName: $name-disk
      filesystemOverhead: "0.055"
      requests: {storage: 20Gi}
      volumeMode: Block
---
apiVersion: v1
kind: Pod
metadata:
  name: virt-launcher-$name-$suffix
  generateName: virt-launcher-$name-
  namespace: $ns
  uid: $pod_uid
  creationTimestamp: "$created"
  labels:
    app: $name
    kubevirt.io: virt-launcher
    kubevirt.io/created-by: $vmi_uid
    kubevirt.io/nodeName: $node
    vm.kubevirt.io/name: $name
    vmi.kubevirt.io/id: $name
  annotations:
    kubevirt.io/domain: $name
    kubevirt.io/migrationTransportUnix: "true"
    kubevirt.io/pci-topology-version: v3
    kubevirt.io/vm-generation: "1"
  ownerReferences:
  - {apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, name: $name, controller: true,
     blockOwnerDeletion: true, uid: $vmi_uid}
spec:
  nodeName: $node
  restartPolicy: Never
  hostname: $name
  automountServiceAccountToken: false
  enableServiceLinks: false
  schedulerName: default-scheduler
  terminationGracePeriodSeconds: 210
  tolerations:
  - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 300}
  - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute,
     tolerationSeconds: 300}
  nodeSelector:
    kubernetes.io/arch: amd64
    kubevirt.io/schedulable: "true"
    machine-type.node.kubevirt.io/q35: "true"
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
        - matchExpressions:
          - {key: node-labeller.kubevirt.io/obsolete-host-model, operator: DoesNotExist}
  readinessGates: [{conditionType: kubevirt.io/virtual-machine-unpaused}]
  containers:
  - name: compute
    image: quay.io/kubevirt/virt-launcher:v1.9.0
    resources:
      requests: {cpu: $request_cpu, memory: $request_memory, ephemeral-storage: 50M,
        devices.kubevirt.io/kvm: "1", devices.kubevirt.io/tun: "1",
        devices.kubevirt.io/vhost-net: "1"}
      limits: {devices.kubevirt.io/kvm: "1", devices.kubevirt.io/tun: "1",
        devices.kubevirt.io/vhost-net: "1"}
    volumeDevices: [{name: disk, devicePath: /dev/disk}]
  volumes: [{name: disk, persistentVolumeClaim: {claimName: $name-disk}}]
status:
  phase: Running
  podIP: $pod_address
  podIPs: [{ip: $pod_address}]
  startTime: "$created"
  qosClass: Burstable
  conditions:
  - {type: kubevirt.io/virtual-machine-unpaused, status: "True", reason: NotPaused,
     message: the virtual machine is not paused, lastTransitionTime: "$created"}
  - {type: Initialized, status: "True", lastTransitionTime: "$created"}
  - {type: Ready, status: "True", lastTransitionTime: "$created"}
  - {type: ContainersReady, status: "True", lastTransitionTime: "$created"}
  - {type: PodScheduled, status: "True", lastTransitionTime: "$created"}
  containerStatuses:
  - {name: compute, ready: true, started: true, restartCount: 0,
     image: "quay.io/kubevirt/virt-launcher:v1.9.0", imageID: "", lastState: {},
     state: {running: {startedAt: "$created"}}}
)~~";

}  // namespace lab
