"""What a bright spot means on the map of each method, one sentence each."""

READINGS = {
    "cam": "The brighter a spot, the more of the logit comes from it.",
    "zoomed_cam": "The brighter a spot, the more it speaks for this flower, in the photo and in enlarged parts of it.",
    "lime": "The brighter a piece, the more it raises the odds.",
    "occlusion": "The more of the probability goes when it is hidden, the brighter a place.",
    "score_cam": (
        "The brighter a spot, the more it lights up in feature maps through which the model still knows the flower."
    ),
    "grad_cam": "The brighter a spot, the more it lights up in feature maps that raise the logit.",
    "grad_cam_plus_plus": "As Grad-CAM, with more room for several flowers of one kind.",
    "layer_cam": "The brighter a spot, the more of what it lights up raises the logit right there.",
    "saliency": "The brighter a pixel, the more the logit leans on it, for or against.",
    "lime_reference": "The more of the probability goes when it is hidden, the brighter a piece.",
}
