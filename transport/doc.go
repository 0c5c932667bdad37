// Package transport makes net/http transports whose connections have exactly the
// keepalive that was asked for.
//
//	d, err := dialer.New(sockopt.Recommended())
//	client := http.Client{Transport: transport.Standard(d)}
//
// It is apart from package dialer so that programs without HTTP do not link
// net/http.
package transport
