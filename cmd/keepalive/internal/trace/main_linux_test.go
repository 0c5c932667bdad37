package trace

import (
	"testing"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m, commands) }

func TestNamespaceHolder(t *testing.T) { clitest.HoldConnection(t) }
