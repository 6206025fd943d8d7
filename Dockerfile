# Stages: the first builds with the development packages, the second carries only what runs. The last one is the server;
# `docker build --target bridge` makes a bridge to MikroTik routers.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/src/datamodel/data src/datamodel/data
COPY --from=build /app/proto proto
COPY --from=build /app/wsdl wsdl
COPY --from=build /app/package.json /app/LICENSE ./

# It writes to its state volume alone: the root file system can be read-only.
FROM runtime AS bridge
ENV ISTHMUS_BRIDGE_STATE_DIR=/var/lib/isthmus-bridge
RUN mkdir -p /var/lib/isthmus-bridge && chown node:node /var/lib/isthmus-bridge
USER node
VOLUME /var/lib/isthmus-bridge
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["node", "dist/src/cli/main.js", "alive", "--api-port", "3010"]
CMD ["node", "dist/src/cli/main.js", "bridge"]

FROM runtime
# The API is for the network of the container: with TLS, unless ISTHMUS_API_TLS is off.
ENV ISTHMUS_DATA_DIR=/var/lib/isthmus ISTHMUS_API_HOST=0.0.0.0
RUN mkdir -p /var/lib/isthmus && chown node:node /var/lib/isthmus
USER node
VOLUME /var/lib/isthmus
EXPOSE 3000 7547 7548 8183
# Alive: the process answers. Whether its database does too is what /readyz tells.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["node", "dist/src/cli/main.js", "alive"]
# A young generation of this size (MB) is collected half as often, and less of it is taken for old.
CMD ["node", "--max-semi-space-size=32", "dist/src/cli/main.js", "serve"]
