import type { Access } from './access/access.ts'

/** The Controller that asks. */
export interface Requester {
  /** Its row. */
  by: string
  /** Its rights now. */
  access: Access
}
