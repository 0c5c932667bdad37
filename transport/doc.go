// Package transport reuses HTTP connections safely, over sockets that have
// exactly the keepalive that was asked for.
//
//	t, err := transport.New(transport.Options{})
//	client := http.Client{Transport: t}
//
// [Standard] returns net/http's own transport with a tuned dialer, and does no more. A
// [Transport] adds what net/http leaves to its users:
//
//   - An unread body does not cost the connection: Close reads the rest, up to a limit.
//   - An idle connection is dropped before its server closes it, so that no request is
//     sent on a connection that is just being closed. The Keep-Alive header that the
//     server sent on that very connection says when that is (timeout=N and max=N). If a
//     server sends no such header, one close of an idle connection shows it, until
//     requests that net/http repeats by itself show that it is longer. This works with
//     HTTP/1 and HTTP/2, over TLS and through proxies; see [Transport].
//   - More than two idle connections are kept for each host.
//   - [Stats] and [Events] say what happens to connections.
//
// A server that restarts closes connections that were idle for any time. If closes
// within 200 ms show three or more idle times, each more than twice the one before, a
// Transport learns nothing from them.
//
// [Announce] is for the server: it sets an idle timeout, and adds the header that says
// so.
//
// # What is retried
//
// This package sends a request again only if nothing was sent before: because the idle
// connection that the request got had ended, or was to be dropped. It does so for every
// request, whatever its body.
//
// net/http sends more requests again, if a reused connection fails before the first byte
// of the response. It does so for a request of which nothing was written, and for one
// with the method GET, HEAD, OPTIONS or TRACE, or with an Idempotency-Key or
// X-Idempotency-Key header; each must have no body, or a GetBody. A POST without such a
// header is not sent again. It is what fails when client and server disagree about how
// long a connection may be idle.
//
// # TLS, proxies, limits
//
// They are set in the Base of [Options], an http.Transport that is cloned. If the clone
// would lose something, [New] returns an error. Start from a clone of
// http.DefaultTransport:
//
//	base := http.DefaultTransport.(*http.Transport).Clone()
//	base.TLSClientConfig = &tls.Config{RootCAs: authorities, Certificates: certificates}
//	base.Proxy = http.ProxyURL(proxy)
//	t, err := transport.New(transport.Options{Base: base})
//
// New replaces the dialer of http.DefaultTransport by a tuned one, and a
// MaxIdleConnsPerHost of 0, which means 2, by MaxIdleConns. A dialer or a limit of your
// own is kept. Later changes of the Base have no effect.
//
// # In place of an http.Transport
//
// An http.Client does not know the type Transport, so a few things differ, as with any
// other RoundTripper:
//
//   - When Client.Timeout is over, the error is still a timeout (Timeout() is true,
//     errors.Is(err, context.DeadlineExceeded)), but its text may lack
//     "Client.Timeout exceeded".
//   - There is no method CancelRequest, which is deprecated: cancel the context of the
//     request.
//   - httptrace.GotConnInfo.Conn, or the connection below it with TLS, is of a type of
//     this package, and not a *net.TCPConn. Its NetConn method returns the connection
//     that the Dialer made. Packages sockopt and inspect take it as it is.
//
// On a server whose listener pins its connections (sockopt.Pin), Hijack returns a
// connection of the pinned type. It is no *net.TCPConn either, but has its methods, such
// as CloseWrite: assert to an interface.
//
// This package is separate from package dialer, so that programs without HTTP do not
// link net/http.
package transport
