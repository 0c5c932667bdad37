package syntax_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// The kernel itself is the parser: in a network namespace a socket that only
// switches keepalive on has the values.
func TestSysctl(t *testing.T) {
	withEach(t, "sysctl", func(t *testing.T, p syntax.Plan, text string) {
		path := file(t, "keepalive.conf", text)
		n := lab.NewNamespace(t)
		n.Run("", "sysctl", "--dry-run", "-p", path)
		n.Run("", "sysctl", "-p", path)
		inNamespace(t, n, p.Config)
	})
}

// inNamespace makes a connection there that only switches keepalive on.
func inNamespace(t *testing.T, n *lab.Namespace, cfg sockopt.Config) {
	t.Helper()
	require.NoError(t, n.Do(func() error {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		d := net.Dialer{KeepAlive: -1}
		c, err := d.Dial("tcp4", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if err := sockopt.Set(c, sockopt.Config{}); err != nil {
			return err
		}
		s, err := sockopt.Get(c)
		if want := holds(t, cfg, false); err == nil && s.String() != want {
			err = fmt.Errorf("got %s, want %s", s, want)
		}
		return err
	}))
}

// Each of the three writes sysctls in its own way: taken apart and applied, they
// do what they should.
func TestContainers(t *testing.T) {
	type pair struct{ Name, Value string }
	for _, tt := range []struct {
		format string
		parse  func(t *testing.T, text string) []pair
	}{
		{"kubernetes", func(t *testing.T, text string) []pair {
			var pod struct {
				Spec struct {
					SecurityContext struct{ Sysctls []pair } `yaml:"securityContext"`
				}
			}
			strictYAML(t, text, &pod)
			return pod.Spec.SecurityContext.Sysctls
		}},
		{"compose", func(t *testing.T, text string) (pairs []pair) {
			var file struct {
				Services map[string]struct{ Sysctls map[string]string }
			}
			strictYAML(t, text, &file)
			for name, value := range file.Services["app"].Sysctls {
				pairs = append(pairs, pair{name, value})
			}
			return pairs
		}},
		{"docker", func(t *testing.T, text string) (pairs []pair) {
			words := strings.Fields(text)
			require.Equal(t, []string{"docker", "run"}, words[:2])
			for i := 2; i < len(words)-1; i += 2 {
				require.Equal(t, "--sysctl", words[i])
				name, value, _ := strings.Cut(words[i+1], "=")
				pairs = append(pairs, pair{name, value})
			}
			return pairs
		}},
	} {
		t.Run(tt.format, func(t *testing.T) {
			withEach(t, tt.format, func(t *testing.T, p syntax.Plan, text string) {
				n := lab.NewNamespace(t)
				pairs := tt.parse(t, text)
				require.Len(t, pairs, 3)
				for _, s := range pairs {
					n.Sysctl(s.Name, s.Value)
				}
				inNamespace(t, n, p.Config)
			})
		})
	}
}
