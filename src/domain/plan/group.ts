import type { Timestamp } from '../timestamp.ts'

/** Static members (kept on the devices) and, or instead, a dynamic selector. Migration unit and dashboard unit. */
export interface Group {
  id: string
  name: string
  description?: string
  /** RSQL over hot fields, e.g. `manufacturer==Acme;softwareVersion=ge=1.10`; undefined: static members only. */
  selector?: string
  revision: number
  createdAt: Timestamp
  updatedAt: Timestamp
}
