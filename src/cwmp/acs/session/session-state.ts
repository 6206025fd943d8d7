import type { Table } from '../../../base/index.ts'

/** The state of a CWMP session (TR-069 3.7.2), seen from the ACS. */
export type SessionState = 'awaitingInform' | 'cpeTurn' | 'acsTurn' | 'awaitingResponse' | 'closed'

/** The events of a session. */
export type SessionEvent = 'inform' | 'cpeRequest' | 'emptyPost' | 'send' | 'answer' | 'finish' | 'drop'

/** The table of the session; an event that is not here breaks the protocol. */
export const SESSION_TABLE: Table<SessionState, SessionEvent> = {
  awaitingInform: { inform: 'cpeTurn', drop: 'closed' },
  // The CPE asks until it sends an empty POST.
  cpeTurn: { cpeRequest: 'cpeTurn', emptyPost: 'acsTurn', drop: 'closed' },
  // The ACS may send: an RPC leaves in the answer to the POST, or 204 ends the session.
  acsTurn: { send: 'awaitingResponse', finish: 'closed', drop: 'closed' },
  // A CPE that asks although it owes an answer breaks 3.7.1.4; it is served, and the answer still awaited.
  awaitingResponse: { answer: 'acsTurn', cpeRequest: 'awaitingResponse', drop: 'closed' },
  closed: { drop: 'closed' },
}
