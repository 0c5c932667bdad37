package cli

import "testing"

func TestMain(m *testing.M) { mainOf(m, commands) }
