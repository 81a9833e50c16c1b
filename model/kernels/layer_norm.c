/* Layer normalisation (Ba, Kiros, Hinton 2016): y = x̂ ∘ weight + bias, x̂ = (x - mean) · rstd. */
#include "model/kernels/rows_internal.h"

static const real epsilon = (real)1e-5; /* as MarianMT and Pegasus have it */

void TOLK_KERNEL(tolk_layer_norm_forward)(size_t rows, size_t d, const real *x, const real *weight,
                                          const real *bias, real *y, real *mean, real *rstd)
{
    for (size_t row = 0; row < rows; row++, x += d, y += d) {
        real sum = 0;
        real squares = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t c = 0; c < d; c++) {
            sum += x[c];
        }
        const real m = sum / (real)d;
#pragma omp simd reduction(+ : squares)
        for (size_t c = 0; c < d; c++) {
            squares += (x[c] - m) * (x[c] - m);
        }
        const real r = 1 / (real)sqrt(squares / (real)d + epsilon);
#pragma omp simd
        for (size_t c = 0; c < d; c++) {
            y[c] = (x[c] - m) * r * weight[c] + bias[c];
        }
        mean[row] = m;
        rstd[row] = r;
    }
}

void TOLK_KERNEL(tolk_layer_norm_backward)(size_t rows, size_t d, const real *x, const real *weight,
                                           const real *mean, const real *rstd, const real *dy,
                                           bool accumulate, real *dx, real *dweight, real *dbias)
{
    for (size_t row = 0; row < rows; row++, x += d, dy += d, dx += d) {
        const real m = mean[row];
        const real r = rstd[row];
        real sum = 0;     /* Σ g */
        real product = 0; /* Σ g ∘ x̂ */
#pragma omp simd reduction(+ : sum, product)
        for (size_t c = 0; c < d; c++) {
            const real g = dy[c] * weight[c];
            const real normalised = (x[c] - m) * r;
            sum += g;
            product += g * normalised;
            dweight[c] += dy[c] * normalised;
            dbias[c] += dy[c];
        }
        sum /= (real)d;
        product /= (real)d;
        if (accumulate) {
#pragma omp simd
            for (size_t c = 0; c < d; c++) {
                dx[c] += r * (dy[c] * weight[c] - sum - (x[c] - m) * r * product);
            }
        } else {
#pragma omp simd
            for (size_t c = 0; c < d; c++) {
                dx[c] = r * (dy[c] * weight[c] - sum - (x[c] - m) * r * product);
            }
        }
    }
}
