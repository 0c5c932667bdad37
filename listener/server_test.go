package listener_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
)

func TestHTTPServer(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	for rule, listen := range map[string]func() (net.Listener, error){
		"Listen": func() (net.Listener, error) {
			lc := listener.ListenConfig{Config: asked}
			return lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		},
		"Listen, pinned": func() (net.Listener, error) {
			lc := listener.ListenConfig{Config: asked, Pin: true}
			return lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		},
		"Wrap": func() (net.Listener, error) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			return listener.Wrap(l, asked)
		},
		"Wrap, pinned": func() (net.Listener, error) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			lc := listener.ListenConfig{Config: asked, Pin: true}
			return lc.Wrap(l)
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			l, err := listen()
			require.NoError(t, err)
			got := make(chan testkit.Values, 1)
			const body = "the kernel can send this by itself"
			server := &http.Server{
				ConnContext: func(ctx context.Context, c net.Conn) context.Context {
					got <- testkit.ReadAny(t, c)
					return ctx
				},
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					http.ServeContent(w, r, "a.txt", time.Time{}, strings.NewReader(body))
				}),
			}
			served := make(chan error, 1)
			go func() { served <- server.Serve(l) }()
			client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
			defer client.CloseIdleConnections()
			resp, err := client.Get("http://" + l.Addr().String())
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, body, string(text))
			assert.Equal(t, askedValues, <-got)

			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			require.NoError(t, server.Shutdown(ctx))
			assert.ErrorIs(t, <-served, http.ErrServerClosed)
			_, err = l.Accept()
			assert.True(t, errors.Is(err, net.ErrClosed), err)
		})
	}
}
