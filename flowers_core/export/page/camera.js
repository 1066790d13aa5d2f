// A picture of the device's camera.

import { PhotoError } from "./photo.js";

/**
 * Show the camera in a dialog until a picture is taken or the person turns back.
 *
 * @param {HTMLDialogElement} dialog with a video, and buttons whose values are "take" and "back".
 * @returns {Promise<ImageBitmap | null>}
 */
export async function openCamera(dialog) {
  const video = dialog.querySelector("video");
  const stream = await started();
  try {
    video.srcObject = stream;
    dialog.returnValue = "";
    dialog.showModal();
    await video.play();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    return dialog.returnValue === "take" && video.videoWidth ? await createImageBitmap(video) : null;
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}

async function started() {
  if (!navigator.mediaDevices) {
    throw new PhotoError("The browser lets only a page on https or on this device use the camera. Choose a photo.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (error) {
    throw new PhotoError(
      error.name === "NotAllowedError"
        ? "The browser was not allowed to use the camera. Allow it beside the address, or choose a photo."
        : "No camera was found. Choose a photo instead.",
    );
  }
}
