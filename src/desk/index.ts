/** Floor 6: the use cases of the API. Each checks, audits and changes; none knows HTTP. */
export { bindDevice, unbindDevice } from './bindings.ts'
export { issueAgentCertificates } from './bridge-agents.ts'
export { type BridgeRegistration, registerBridge, renewBridgeCertificate } from './bridge-registration.ts'
export { type ReportedState, reportRouters } from './bridge-reports.ts'
export {
  addRouter,
  changeRouter,
  deleteRouter,
  type RouterChange,
  type RouterInput,
  readRouter,
} from './bridge-routers.ts'
export { changeBridge, createBridge, deleteBridge, readBridge, renewBridgeToken } from './bridges.ts'
export { checkRows } from './check-mapping-rows.ts'
export { ConfirmationNeeded, Confirmations } from './confirmations.ts'
export { resolveConflict } from './conflicts.ts'
export { deleteLinkSecret, releaseCredential, storeCredential } from './credentials.ts'
export { deleteDevice } from './delete-device.ts'
export { changeNotes, findDevices, readDevice } from './devices.ts'
export { EventFeed } from './event-feed.ts'
export { findParameters } from './find-parameters.ts'
export { deleteGroup } from './groups.ts'
export { importRouters } from './import-routers.ts'
export {
  countInScope,
  createRowSet,
  deleteRowSet,
  listRowSets,
  readRowSet,
  replaceRowSet,
} from './mapping-rows.ts'
export { listMembers, meaningOfPlace } from './members.ts'
export { readOperation, refreshFacts, submitConfirmed, submitOperation } from './operations.ts'
export {
  admitPendingAgent,
  bindPendingAgent,
  blockPendingAgent,
  deletePendingAgent,
  readPendingAgent,
} from './pending-agents.ts'
export { revokeIssued } from './revoke-certificate.ts'
export { RouterJoins } from './router-joins.ts'
export { readRouterPolicy, setRouterPolicy } from './router-policy.ts'
export { listScriptTemplates } from './script-templates.ts'
export { deleteSupportedModel } from './supported-models.ts'
