import { type Access, FULL_ACCESS } from './access/access.ts'

/** The Controller that asks. */
export interface Requester {
  /** Its row. */
  by: string
  /** Its rights now. */
  access: Access
}

/** The Controller that asks for a command. */
export interface CommandRequester extends Requester {
  /** The names of its roles now. */
  roles: readonly string[]
}

/** The Agent itself. */
export const AGENT: Requester = { by: 'agent', access: FULL_ACCESS }
