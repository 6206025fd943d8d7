/** The Controller side of USP. */
export { Controller, type ControllerOptions } from './controller.ts'
