/** The server side of CWMP: listeners, sessions, enrolment, discovery, and operations as RPCs. */
export { Acs, type AcsOptions } from './acs.ts'
export type { EnrolmentPolicy } from './login/authenticate.ts'
export { digestResponse, parseAuthorization } from './login/digest.ts'
export { SESSION_TABLE } from './session/session-state.ts'
