package testkit

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// GetHTTP requests url and returns the response, with its body closed, and the
// options of the connection that it used.
func GetHTTP(t testing.TB, transport http.RoundTripper, url string) (*http.Response, Values) {
	t.Helper()
	var got *Values
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		v := ReadAny(t, info.Conn)
		got = &v
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.NotNil(t, got, "GotConn was called")
	return resp, *got
}
