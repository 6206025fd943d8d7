import { extendZodWithOpenApi } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'

extendZodWithOpenApi(z)

/** The one door to zod, with descriptions for OpenAPI. */
export { z }
