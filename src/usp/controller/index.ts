/** The Controller side of USP. */
export { Controller, type ControllerOptions } from './controller.ts'
export { wantedSubscriptions } from './subscriptions.ts'
