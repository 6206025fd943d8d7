/** The path of an operation, for Location headers. */
export function pathOfOperation({ id }: { id: string }): string {
  return `/api/v1/operations/${id}`
}
