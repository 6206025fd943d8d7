/** Milliseconds since the Unix epoch. */
export type Timestamp = number
