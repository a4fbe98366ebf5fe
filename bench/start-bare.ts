import fastify from 'fastify';

/* The baseline of start.serve: fastify with one route, listening on a free port; says so on standard output. */
const app = fastify();
app.get('/', async () => ({ ok: true }));
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`);
