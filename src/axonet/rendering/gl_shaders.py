"""Programs of the GL backend: cones as impostors into packed samples, samples into pixels.

The formula is that of :mod:`axonet.rendering.raster`, along the line of sight of each sample; an orthographic view is
the one whose lines of sight are parallel (``widening`` is 0).
"""

from __future__ import annotations

from axonet.morphology.compartments import N_CLASSES
from axonet.rendering.raster import EMPTY, N_LEVELS

ROUNDING = 4e-7
"""Of the length of a cone: how far beside it a line of sight still meets it, so that rounding leaves no gap in thin
cable. Where it meets is not changed: a wider cone seen nearly end-on would have its front elsewhere."""

CONE_VERTEX = """#version 330
layout(location = 0) in vec4 start;      // whole column, row of the start's image; fractions
layout(location = 1) in vec4 axis;       // end - start; depth of the start from near
layout(location = 2) in vec4 thickness;  // radius of start, end; mask class; half the width of the rectangle
layout(location = 3) in vec4 rectangle;  // direction; begin, end along it
uniform vec2 size;                       // of the image in samples
flat out vec4 place;
flat out vec4 body;
flat out vec3 radii;

void main() {
    vec2 along = rectangle.xy * ((gl_VertexID & 1) == 0 ? rectangle.z : rectangle.w);
    vec2 across = vec2(-rectangle.y, rectangle.x) * ((gl_VertexID & 2) == 0 ? -thickness.w : thickness.w);
    // Row 0 is at the bottom of the buffer, where it is read first: no picture is ever turned over.
    gl_Position = vec4(2.0 * (start.xy + (start.zw + along + across)) / size - 1.0, 0.0, 1.0);
    place = start;
    body = axis;
    radii = thickness.xyz;
}
"""

CONE_FRAGMENT = f"""#version 330
uniform vec2 size;
uniform float widening;           // 1 / distance of the eye from depth 0, in samples; 0 in an orthographic view
uniform float near;
uniform float levels_per_sample;
flat in vec4 place;
flat in vec4 body;
flat in vec3 radii;
layout(location = 0) out uint value;

void main() {{
    float r0 = radii.x, r1 = radii.y, dr = r1 - r0, z0 = body.w + near;
    vec2 sight = (gl_FragCoord.xy - 0.5 * size) * widening;
    vec3 v = widening > 0.0 ? normalize(vec3(sight, 1.0)) : vec3(0.0, 0.0, 1.0);
    // From the line of sight, where it has the start's depth, to the start: a small number, so an exact one.
    vec2 offset = ((place.xy - floor(gl_FragCoord.xy)) + (place.zw - 0.5)) * (1.0 + z0 * widening);
    float t0 = offset.x * v.x + offset.y * v.y;
    vec3 p = vec3(offset, 0.0) - t0 * v;
    float dd = dot(body.xyz, v);
    vec3 d = body.xyz - dd * v;
    float length2 = dot(d, d), slant = length2 - dr * dr, spread = slant + dd * dd;
    float slack = 2.0 * {ROUNDING} * length(body.xyz);
    float distance = 0.0;
    bool is_hit = false;
    if (spread > 0.0) {{
        float len = sqrt(length2);
        vec3 u = len > 0.0 ? d / len : vec3(0.0);
        float along = -dot(p, u);
        vec3 h = cross(p, u);
        float tilted = r0 * len + along * dr;
        float discriminant = len > 0.0 ? tilted * tilted - dot(h, h) * slant : dot(p, p) * dr * dr;
        if (discriminant >= -slack * len * tilted) {{
            float a = -slant, b = r0 * dr + along * len;
            float q2 = max(discriminant, 0.0) / spread, q = sqrt(q2), t = dd * q;
            float s = t * b > 0.0 ? (q2 - (r0 * r0 - dot(p, p))) / (t + b) : (t - b) / a;
            is_hit = s >= 0.0 && s <= 1.0;
            distance = t0 + s * dd - q;
        }}
    }}
    if (!is_hit) {{
        vec3 c = p + d;
        float inside = r1 * r1 - dot(c, c);
        if (inside < -slack * r1) discard;
        distance = t0 + dd - sqrt(max(inside, 0.0));
    }}
    float level = clamp((body.w + distance * v.z) * levels_per_sample, 0.0, {N_LEVELS - 1}.0);
    uint whole = uint(level);
    value = (whole << 8) | uint(radii.z);
    gl_FragDepth = float(whole) * {2.0**-24!r};
}}
"""

POOL_VERTEX = """#version 330
void main() {
    // One triangle over the whole image; the scissor cuts out what was drawn to.
    gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}
"""

POOL_FRAGMENT = f"""#version 330
uniform usampler2D samples;
uniform int factor;
layout(location = 0) out uint value;

uint sample_at(ivec2 corner, int k) {{
    return texelFetch(samples, corner + ivec2(k % factor, k / factor), 0).r;
}}

void main() {{
    ivec2 corner = ivec2(gl_FragCoord.xy) * factor;
    int n = factor * factor;
    uint total = 0u, n_covered = 0u, label = 0u;
    bool is_mixed = false;
    for (int k = 0; k < n; k++) {{
        uint one = sample_at(corner, k);
        if (one != {EMPTY}u) {{
            is_mixed = is_mixed || (n_covered > 0u && (one & 255u) != label);
            label = one & 255u;
            total += one >> 8;
            n_covered += 1u;
        }}
    }}
    if (n_covered == 0u) {{
        value = {EMPTY}u;
        return;
    }}
    if (is_mixed) {{  // the class of most samples; among equals, that of the nearest sample
        uint most = 0u, best_nearest = {EMPTY}u;
        for (uint candidate = 1u; candidate < {N_CLASSES}u; candidate++) {{
            uint count = 0u, nearest = {EMPTY}u;
            for (int k = 0; k < n; k++) {{
                uint one = sample_at(corner, k);
                if (one != {EMPTY}u && (one & 255u) == candidate) {{
                    count += 1u;
                    nearest = min(nearest, one);
                }}
            }}
            if (count > most || (count == most && nearest < best_nearest)) {{
                most = count;
                best_nearest = nearest;
                label = candidate;
            }}
        }}
    }}
    value = (((total + n_covered / 2u) / n_covered) << 8) | label;
}}
"""
