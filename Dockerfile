# One extswitch host. Build: docker build -t extswitch . ; run: see docker-compose.yml.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:20-bookworm-slim AS production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
COPY --from=build /app/dist/src ./dist/src
COPY --from=build /app/dist/switch ./dist/switch
COPY --from=build /app/dist/extensions ./dist/extensions
COPY --from=build /app/dist/policies ./dist/policies
# Scenario files, and the extensions in them as they were written.
COPY policies ./policies
COPY LICENSE README.md ./
RUN mkdir -p /data && chown node:node /data

USER node
ENV NODE_ENV=production EXTSWITCH_HOST=0.0.0.0 EXTSWITCH_PORT=4630 EXTSWITCH_STORE=/data
EXPOSE 4630
VOLUME ["/data"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.EXTSWITCH_PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/src/cli.js"]
CMD ["serve"]
