// Sources: Kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, of which view,
// edit and admin hold what the lab serves; KubeVirt
// pkg/virt-operator/resource/generate/rbac/cluster.go. virt-handoff:operator is what this tool
// needs to do everything it can do.
#include "lab/furniture.hpp"

namespace lab {

const char* const kRolesYaml = R"~~(
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: cluster-admin, creationTimestamp: "$created"}
rules:
- {apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
- {nonResourceURLs: ["*"], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:discovery", creationTimestamp: "$created"}
rules:
- nonResourceURLs: [/api, /api/*, /apis, /apis/*, /healthz, /livez, /openapi, /openapi/*, /readyz,
    /version, /version/]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:public-info-viewer", creationTimestamp: "$created"}
rules:
- {nonResourceURLs: [/healthz, /livez, /readyz, /version, /version/], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:basic-user", creationTimestamp: "$created"}
rules:
- apiGroups: [authorization.k8s.io]
  resources: [selfsubjectaccessreviews, selfsubjectrulesreviews]
  verbs: [create]
- {apiGroups: [authentication.k8s.io], resources: [selfsubjectreviews], verbs: [create]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: admin, creationTimestamp: "$created"}
aggregationRule:
  clusterRoleSelectors:
  - matchLabels: {rbac.authorization.k8s.io/aggregate-to-admin: "true"}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: edit
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-admin: "true"}
aggregationRule:
  clusterRoleSelectors:
  - matchLabels: {rbac.authorization.k8s.io/aggregate-to-edit: "true"}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: view
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-edit: "true"}
aggregationRule:
  clusterRoleSelectors:
  - matchLabels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "system:aggregate-to-view"
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}
rules:
- apiGroups: [""]
  resources: [configmaps, endpoints, events, limitranges, namespaces, persistentvolumeclaims,
    persistentvolumeclaims/status, pods, pods/log, pods/status, resourcequotas, serviceaccounts,
    services]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [daemonsets, deployments, replicasets, statefulsets]
  verbs: [get, list, watch]
- {apiGroups: [batch], resources: [jobs], verbs: [get, list, watch]}
- {apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [get, list, watch]}
- {apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "system:aggregate-to-edit"
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-edit: "true"}
rules:
- {apiGroups: [""], resources: [pods/eviction], verbs: [create]}
- {apiGroups: [""], resources: [pods/proxy, secrets, services/proxy], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [serviceaccounts], verbs: [impersonate]}
- apiGroups: [""]
  resources: [configmaps, persistentvolumeclaims, pods, secrets, serviceaccounts, services]
  verbs: [create, delete, deletecollection, patch, update]
- apiGroups: [apps]
  resources: [daemonsets, deployments, replicasets, statefulsets]
  verbs: [create, delete, deletecollection, patch, update]
- {apiGroups: [batch], resources: [jobs], verbs: [create, delete, deletecollection, patch, update]}
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [create, delete, deletecollection, patch, update]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [create, delete, deletecollection, patch, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "system:aggregate-to-admin"
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-admin: "true"}
rules:
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings, roles]
  verbs: [create, delete, deletecollection, get, list, patch, update, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "kubevirt.io:default", creationTimestamp: "$created"}
rules:
- {apiGroups: [kubevirt.io], resources: [kubevirts], verbs: [get, list]}
- {apiGroups: [subresources.kubevirt.io], resources: [guestfs, version], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "kubevirt.io:view"
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}
rules:
- apiGroups: [subresources.kubevirt.io]
  resources: [virtualmachineinstances/filesystemlist, virtualmachineinstances/guestosinfo,
    virtualmachineinstances/userlist, virtualmachines/expand-spec]
  verbs: [get]
- apiGroups: [kubevirt.io]
  resources: [virtualmachineinstancemigrations, virtualmachineinstances, virtualmachines]
  verbs: [get, list, watch]
- {apiGroups: [migrations.kubevirt.io], resources: [migrationpolicies], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "kubevirt.io:edit"
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-edit: "true"}
rules:
- apiGroups: [subresources.kubevirt.io]
  resources: [virtualmachineinstances/console, virtualmachineinstances/vnc,
    virtualmachineinstances/guestosinfo]
  verbs: [get]
- apiGroups: [subresources.kubevirt.io]
  resources: [virtualmachineinstances/evacuate/cancel, virtualmachineinstances/pause,
    virtualmachineinstances/unpause, virtualmachines/evacuate/cancel, virtualmachines/restart,
    virtualmachines/start, virtualmachines/stop]
  verbs: [update]
- apiGroups: [kubevirt.io]
  resources: [virtualmachineinstances, virtualmachines]
  verbs: [get, delete, create, update, patch, list, watch]
- apiGroups: [kubevirt.io]
  resources: [virtualmachineinstancemigrations]
  verbs: [get, list, watch]
- {apiGroups: [migrations.kubevirt.io], resources: [migrationpolicies], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: "kubevirt.io:admin"
  creationTimestamp: "$created"
  labels: {rbac.authorization.k8s.io/aggregate-to-admin: "true"}
rules:
- apiGroups: [kubevirt.io]
  resources: [virtualmachineinstances, virtualmachines]
  verbs: [get, delete, create, update, patch, list, watch, deletecollection]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "kubevirt.io:migrate", creationTimestamp: "$created"}
rules:
- {apiGroups: [subresources.kubevirt.io], resources: [virtualmachines/migrate], verbs: [update]}
- apiGroups: [kubevirt.io]
  resources: [virtualmachineinstancemigrations]
  verbs: [get, delete, create, update, patch, list, watch, deletecollection]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "virt-handoff:operator", creationTimestamp: "$created"}
rules:
- apiGroups: [""]
  resources: [events, namespaces, nodes, persistentvolumeclaims, persistentvolumes, pods,
    resourcequotas]
  verbs: [get, list, watch]
- {apiGroups: [""], resources: [pods/log, pods/proxy], verbs: [get]}
- {apiGroups: [""], resources: [pods], verbs: [delete]}
- {apiGroups: [""], resources: [pods/eviction], verbs: [create]}
- {apiGroups: [""], resources: [nodes], verbs: [patch]}
- {apiGroups: [apps], resources: [daemonsets], verbs: [get, list]}
- {apiGroups: [batch], resources: [jobs], verbs: [get, list]}
- {apiGroups: [cdi.kubevirt.io], resources: [datavolumes, storageprofiles], verbs: [get, list]}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [k8s.cni.cncf.io]
  resources: [network-attachment-definitions]
  verbs: [get, list]
- {apiGroups: [kubevirt.io], resources: [virtualmachines, kubevirts], verbs: [get, list, watch]}
- apiGroups: [kubevirt.io]
  resources: [virtualmachineinstances]
  verbs: [get, list, watch, patch]
- {apiGroups: [migrations.kubevirt.io], resources: [migrationpolicies], verbs: [get, list]}
- {apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [get, list]}
- {apiGroups: [policy], resources: [poddisruptionbudgets], verbs: [get, list]}
- apiGroups: [storage.k8s.io]
  resources: [csidrivers, csinodes, storageclasses]
  verbs: [get, list]
- {apiGroups: [storage.k8s.io], resources: [volumeattachments], verbs: [get, list, watch, delete]}
- apiGroups: [subresources.kubevirt.io]
  resources: [virtualmachineinstances/evacuate/cancel, virtualmachines/evacuate/cancel]
  verbs: [update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: cluster-admin, creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:masters"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:discovery", creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:discovery"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:public-info-viewer", creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:public-info-viewer"}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:unauthenticated"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:basic-user", creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:basic-user"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "kubevirt.io:default", creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "kubevirt.io:default"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab-viewer, creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "virt-handoff:viewer", creationTimestamp: "$created"}
rules:
- {apiGroups: [""], resources: [nodes, persistentvolumes], verbs: [get, list, watch]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch]}
- apiGroups: [storage.k8s.io]
  resources: [csidrivers, csinodes, storageclasses, volumeattachments]
  verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab-viewer-of-nodes, creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "virt-handoff:viewer"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab-operator, creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "virt-handoff:operator"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: operator}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab-operator-migrates, creationTimestamp: "$created"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "kubevirt.io:migrate"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: operator}]
)~~";

}  // namespace lab
