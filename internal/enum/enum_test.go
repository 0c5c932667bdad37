package enum_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/enum"
)

func TestName(t *testing.T) {
	t.Parallel()
	type color uint8
	assert.Equal(t, "blue", enum.Name("Color", color(1), "red", "blue"))
	assert.Equal(t, "Color(2)", enum.Name("Color", color(2), "red", "blue"))
	assert.Equal(t, "Color(255)", enum.Name("Color", color(255)))
}
