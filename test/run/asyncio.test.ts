/** asyncio as it is in the standard library: nothing of it is changed, the kernel gives it sockets to itself and a poll that waits. */
import { describe, expect, it } from "vitest";
import { plain } from "../support/plain.js";

const program = `
import asyncio, time

async def worker(queue, out):
    while True:
        item = await queue.get()
        await asyncio.sleep(0.01)
        out.append(item)
        queue.task_done()

async def main():
    queue, out = asyncio.Queue(), []
    workers = [asyncio.create_task(worker(queue, out)) for _ in range(3)]
    for i in range(9): queue.put_nowait(i)
    await queue.join()
    for w in workers: w.cancel()
    print(sorted(out), [type(r).__name__ for r in await asyncio.gather(*workers, return_exceptions=True)])
    async with asyncio.TaskGroup() as group:
        a, b = group.create_task(asyncio.sleep(0.02, 'a')), group.create_task(asyncio.sleep(0.01, 'b'))
    print(a.result(), b.result())
    try:
        async with asyncio.timeout(0.05): await asyncio.sleep(60)
    except TimeoutError: print('timeout')
    asyncio.get_running_loop().call_soon_threadsafe(print, 'soon')
    await asyncio.sleep(0)
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(serve, '127.0.0.1', 0, reuse_address=False)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b'through a socket\\n')
    print(await reader.read())
    writer.close()
    server.close()
    print(type(asyncio.get_running_loop()).__name__)

start = time.monotonic()
asyncio.run(main(), debug=True)
print(time.monotonic() - start < 50)
`;

describe("asyncio", () => {
  it("runs queues, sleeps, gather, task groups, timeouts and streams", () => {
    const result = plain(["-c", program]);
    expect(result.out.split("\n")).toEqual([
      "[0, 1, 2, 3, 4, 5, 6, 7, 8] ['CancelledError', 'CancelledError', 'CancelledError']",
      "a b",
      "timeout",
      "soon",
      "b'THROUGH A SOCKET\\n'",
      "_UnixSelectorEventLoop",
      "True",
      "",
    ]);
    expect(result.code).toBe(0);
  });

  it("waits without burning the processor", () => {
    const code =
      "import asyncio, time; c = time.process_time(); asyncio.run(asyncio.sleep(2)); print(time.process_time() - c < 1)";
    expect(plain(["-c", code]).out).toBe("True\n");
  });
});

describe("sockets", () => {
  it("listen at every address of the program's own network", () => {
    const result = plain([
      "-c",
      `
import http.server, socket
server = http.server.HTTPServer(('', 0), http.server.SimpleHTTPRequestHandler)
print(server.server_address[0])
client = socket.create_connection(('127.0.0.1', server.server_address[1]))
client.sendall(b'GET /no-such-file HTTP/1.0\\r\\n\\r\\n')
server.handle_request()
print(client.recv(1000).split(b'\\r\\n')[0])
`,
    ]);
    expect(result.out).toBe("0.0.0.0\nb'HTTP/1.0 404 File not found'\n");
    expect(result.code).toBe(0);
  });
});
