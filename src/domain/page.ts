/** A page of a list; `next` is the cursor of the following page, absent on the last. */
export interface Page<T> {
  items: T[]
  next?: string
}
