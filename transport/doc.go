// Package transport reuses HTTP connections safely, over sockets that have
// exactly the keepalive that was asked for.
//
//	t, err := transport.New(transport.Options{})
//	client := http.Client{Transport: t}
//
// [Standard] is net/http's own transport with a tuned dialer, no more. A
// [Transport] adds what net/http leaves to its users:
//
//   - An unread body no longer costs the connection: Close reads the rest, up to a
//     bound.
//   - An idle connection is dropped before the server drops it, so that no request
//     is sent into a closing connection: as the server's Keep-Alive header says, or
//     as its closes were seen.
//   - More than two idle connections are kept for each host.
//   - What happens to connections is counted, see [Stats] and [Events].
//
// [Announce] is the server's side: an idle timeout, and a header that says so.
//
// # What is retried
//
// This package retries nothing. net/http does, where a reused connection fails
// before the first byte of a response: requests of which nothing was written, if
// they have no body or a GetBody; and, if they have no body or a GetBody, GET,
// HEAD, OPTIONS and TRACE, and those with an Idempotency-Key or X-Idempotency-Key
// header. A POST without such a header is not sent again: it is what fails when
// client and server disagree about how long a connection may be idle.
//
// The package is apart from package dialer so that programs without HTTP do not
// link net/http.
package transport
