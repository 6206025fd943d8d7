/** Waits until a condition holds; it is asked again every `everyMs`, for `timeoutMs` at the most. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
  everyMs = 20,
): Promise<void> {
  for (const end = Date.now() + timeoutMs; ; ) {
    if (await condition()) return
    if (Date.now() > end) throw new Error(`not reached within ${timeoutMs / 1000} s: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
