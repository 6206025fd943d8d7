/**
 * Returns true when the Recipient of a Subscription row is the row of this Controller, or when it names none. Another
 * Controller may have a subscription with the same ID: the key of a row is both (TR-181
 * Device.LocalAgent.Subscription.{i}.).
 */
export function isOwnRow(recipient: string | undefined, ownRow: string): boolean {
  return recipient === undefined || recipient === '' || recipient.replace(/\.$/, '') === ownRow.replace(/\.$/, '')
}

/** Returns true for lists with the same items: the order in a ReferenceList and spaces around a comma mean nothing. */
export function sameList(a: string, b: string): boolean {
  const items = (list: string) =>
    list
      .split(',')
      .map((item) => item.trim())
      .sort()
      .join(',')
  return items(a) === items(b)
}
