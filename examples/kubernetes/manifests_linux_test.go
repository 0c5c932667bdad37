package kubernetes

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/examples/internal/sockets"
	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// An object is what of a manifest is looked at. Other fields are Kubernetes' own.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	Spec       struct {
		SecurityContext struct {
			Sysctls []struct{ Name, Value string }
		} `yaml:"securityContext"`
		Containers []struct {
			Name, Image  string
			VolumeMounts []struct {
				Name      string
				MountPath string `yaml:"mountPath"`
			} `yaml:"volumeMounts"`
		}
		Volumes []struct {
			Name      string
			ConfigMap struct{ Name string } `yaml:"configMap"`
		}
	}
}

func objects(t *testing.T, file string) (list []object) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	d := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var o object
		if err := d.Decode(&o); err == io.EOF {
			return list
		} else {
			require.NoError(t, err)
		}
		assert.Equal(t, "v1", o.APIVersion)
		list = append(list, o)
	}
}

func plan(t *testing.T) sockopt.Config {
	t.Helper()
	path, err := align.Path("aws-nlb-tcp")
	require.NoError(t, err)
	p, err := align.Request{Path: path}.Plan()
	require.NoError(t, err)
	return p.Config
}

// The sysctls, set in a network namespace as a pod has one, are the plan.
func TestSysctls(t *testing.T) {
	t.Parallel()
	pod := objects(t, "pod-sysctls.yaml")[0]
	require.Len(t, pod.Spec.SecurityContext.Sysctls, 3)
	n := lab.NewNamespace(t)
	for _, s := range pod.Spec.SecurityContext.Sysctls {
		n.Sysctl(s.Name, s.Value)
	}
	want := plan(t)
	require.NoError(t, n.Do(func() error {
		lc := net.ListenConfig{KeepAlive: -1}
		l, err := lc.Listen(t.Context(), "tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		if err := sockopt.Set(l, sockopt.Config{}); err != nil { // on, and no more
			return err
		}
		s, err := sockopt.Get(l)
		if err == nil && (s.Idle != want.Idle || s.Interval != want.Interval || s.Count != want.Count) {
			err = fmt.Errorf("got %s, want %s", s, want)
		}
		return err
	}))
}

// The sidecar's HAProxy runs, and its connection to the outside is the plan.
func TestSidecar(t *testing.T) {
	t.Parallel()
	testkit.Root(t)
	haproxy := testkit.Tool(t, "haproxy")
	list := objects(t, "pod-sidecar.yaml")
	require.Len(t, list, 2)
	config, pod := list[0], list[1]
	assert.Equal(t, config.Metadata.Name, pod.Spec.Volumes[0].ConfigMap.Name)
	assert.Equal(t, pod.Spec.Volumes[0].Name, pod.Spec.Containers[1].VolumeMounts[0].Name)

	database, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer database.Close()
	port, err := freeport.Find()
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	text := strings.NewReplacer("127.0.0.1:5432", address, "database.example.com:5432", database.Addr().String()).Replace(config.Data["haproxy.cfg"])
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	out, err := exec.Command(haproxy, "-c", "-f", file).CombinedOutput()
	require.NoError(t, err, "%s", out)

	cmd := exec.Command(haproxy, "-db", "-f", file)
	testkit.Start(t, cmd)
	var program net.Conn
	for range 500 {
		if program, err = net.Dial("tcp4", address); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	require.NoError(t, err)
	defer program.Close()
	outside, err := database.Accept()
	require.NoError(t, err)
	defer outside.Close()
	var got platform.Settings
	for range 100 { // it sets one option after the other
		got, err = sockets.Between(outside.RemoteAddr(), outside.LocalAddr())
		if err == nil && sockopt.FromSettings(got) == plan(t) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("got %s, %v, want %s", got, err, plan(t))
}
