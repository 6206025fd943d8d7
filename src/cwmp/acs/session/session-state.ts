import type { Table } from '../../../base/index.ts'

/** Where a CWMP session stands (TR-069 3.7.2), seen from the ACS. */
export type SessionState = 'awaitingInform' | 'cpeTurn' | 'acsTurn' | 'awaitingResponse' | 'closed'

/** What can happen to it. */
export type SessionEvent = 'inform' | 'cpeRequest' | 'emptyPost' | 'send' | 'answer' | 'finish' | 'drop'

/** The table of the session; an event that is not here breaks the protocol. */
export const SESSION_TABLE: Table<SessionState, SessionEvent> = {
  awaitingInform: { inform: 'cpeTurn', drop: 'closed' },
  // The CPE asks until it sends an empty POST.
  cpeTurn: { cpeRequest: 'cpeTurn', emptyPost: 'acsTurn', drop: 'closed' },
  // It is our turn: a request of ours leaves in the answer to its POST, or 204 ends the session.
  acsTurn: { send: 'awaitingResponse', finish: 'closed', drop: 'closed' },
  // A CPE that asks although it owes an answer breaks 3.7.1.4; it is served, and the answer still awaited.
  awaitingResponse: { answer: 'acsTurn', cpeRequest: 'awaitingResponse', drop: 'closed' },
  closed: { drop: 'closed' },
}
