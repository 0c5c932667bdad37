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
//     is sent into a closing connection: as the Keep-Alive header said on that very
//     connection, timeout=N and max=N, or, of servers that say neither, as one close
//     was seen. A server that restarts closes connections of any age: where closes
//     within 200 ms are of three or more idle times, each more than twice the one
//     before, nothing is learned of them. Over HTTP/1 and HTTP/2, over TLS and through
//     proxies; see [Transport].
//   - More than two idle connections are kept for each host.
//   - What happens to connections is counted, see [Stats] and [Events].
//
// [Announce] is the server's side: an idle timeout, and a header that says so.
//
// # What is retried
//
// This package repeats a request only if nothing of it was sent, as its idle
// connection ended or was to be dropped: any request, whatever its body. net/http
// repeats more, where a reused connection fails
// before the first byte of a response: requests of which nothing was written, if
// they have no body or a GetBody; and, if they have no body or a GetBody, GET,
// HEAD, OPTIONS and TRACE, and those with an Idempotency-Key or X-Idempotency-Key
// header. A POST without such a header is not sent again: it is what fails when
// client and server disagree about how long a connection may be idle.
//
// # TLS, proxies, limits
//
// They stand in [Options].Base, an http.Transport that is cloned; what it would lose
// is an error of [New]. Start from a clone of http.DefaultTransport:
//
//	base := http.DefaultTransport.(*http.Transport).Clone()
//	base.TLSClientConfig = &tls.Config{RootCAs: authorities, Certificates: certificates}
//	base.Proxy = http.ProxyURL(proxy)
//	t, err := transport.New(transport.Options{Base: base})
//
// Its dialer gives way to a tuned one, and its limit of two idle connections to each
// host to that of all; a dialer or a limit of one's own is kept. New takes a copy:
// what is changed in the Base later has no effect.
//
// # In place of an http.Transport
//
// To an http.Client a Transport is one of those RoundTrippers that it does not
// know, and a few things are different, as with any other:
//
//   - When Client.Timeout is over, the error is a timeout as ever (Timeout() is true,
//     errors.Is(err, context.DeadlineExceeded)), but its text need not say
//     "Client.Timeout exceeded".
//   - There is no CancelRequest, which is deprecated: cancel the request's context.
//   - httptrace.GotConnInfo.Conn, below a tls.Conn if there is one, is a type of this
//     package and no *net.TCPConn. Its NetConn method returns what the Dialer made;
//     packages sockopt and inspect take it as it is.
//
// On a server whose listener pins its connections (sockopt.Pin), Hijack hands out the
// pinned type. That is no *net.TCPConn either, but has its methods, CloseWrite for
// one: assert to an interface.
//
// The package is apart from package dialer so that programs without HTTP do not
// link net/http.
package transport
