# Workers, gateway and command line: one image, told by its command which of them it is.
FROM node:20.20.2-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing here needs a package's install script.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production FLYWHEEL_HOME=/var/lib/flywheel
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tini \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /var/lib/flywheel
COPY --from=packages /app/node_modules node_modules
COPY . .
# Files belong to root: what runs here cannot change itself.
USER node
VOLUME /var/lib/flywheel
ENTRYPOINT ["/usr/bin/tini", "--", "node", "--enable-source-maps", "--import", "tsx"]
CMD ["cli/main.ts", "--help"]
